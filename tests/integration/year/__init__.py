"""A year in the life of a database, and the true owner of each lead."""
