"""The storage port's adapters: SQLite (embedded) and MongoDB (production)."""
