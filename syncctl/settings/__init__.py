"""The settings in force: read, checked and shown."""
