"""What happened to one customer's records, and why."""
