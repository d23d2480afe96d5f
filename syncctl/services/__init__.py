"""The use cases: no printing, no Typer, only ports and models."""
