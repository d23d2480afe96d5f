"""Reads a store's CSV file or workbook into rows with recognized columns."""
