"""One module per command: its options and the service it calls."""
