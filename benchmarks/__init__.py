"""Measures syncctl as its users run it, beside the least that the same work can cost."""
