"""The crontab line that runs the sync: rendered, installed, found; or a systemd timer instead."""
