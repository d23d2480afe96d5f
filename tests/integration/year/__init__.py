"""A year in the life of a database, and who is who in it."""
