"""Leads, their records and the rules about them; knows neither a database nor an API nor a file."""
