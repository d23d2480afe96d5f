"""How much of a report is asked for, and on what evidence."""
