"""`cleanup finished`: leads that people have finished or deleted, but which still or again exist."""
