"""The history of one customer's records, and the reasons."""
