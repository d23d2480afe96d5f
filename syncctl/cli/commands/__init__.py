"""One module for each command: its options, and the service that it calls."""
