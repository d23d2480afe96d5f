"""`cleanup finished`: leads of records that people are done with, still or again there."""
