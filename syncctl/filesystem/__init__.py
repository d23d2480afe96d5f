"""Files opened and written safely: none that waits, none that others can read, none of ours destroyed."""
