"""What leaves the program: without secrets, without whole phone numbers, without control characters."""
