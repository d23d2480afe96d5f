"""The rows that could not become leads: listed, exported, retried."""
