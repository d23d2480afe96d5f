"""A row of a source -> the values of a lead."""
