"""The effective settings: read, checked and shown."""
