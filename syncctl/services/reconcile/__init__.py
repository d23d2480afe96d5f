"""The database held against its sources: is everything there, and what became of one record."""
