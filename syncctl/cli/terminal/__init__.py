"""The terminal: its streams and the progress shown on it."""
