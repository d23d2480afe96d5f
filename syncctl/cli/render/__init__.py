"""What a person or a script sees of each result."""
