"""Imports the stores' files as leads."""
