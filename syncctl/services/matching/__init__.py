"""Which lead and which report belong to a source's record."""
