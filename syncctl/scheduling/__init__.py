"""The crontab line that runs the sync: rendered, installed, found again; or a systemd timer instead."""
