"""SQLite: the embedded backend, which needs no server."""
