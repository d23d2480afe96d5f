"""The log: its formats, its file, and the lines that a run writes to it."""
