"""A week of runs every five minutes beside a business at work: `python -m tests.soak`."""
