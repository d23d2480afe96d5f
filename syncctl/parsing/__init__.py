"""Parses single cells and fields: text, dates, numbers, phone numbers."""
