"""How each result is shown to a person or a script."""
