"""A store's CSV file or workbook made into rows whose columns are recognised."""
