"""MongoDB, in the documents that the web app reads (contract/database.md)."""
