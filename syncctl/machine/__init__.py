"""The machine that syncctl runs on: what `doctor` and `cron` look at."""
