"""Opens and writes files safely: without blocking, private to the user, never over our own files."""
