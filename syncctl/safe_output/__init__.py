"""Makes output safe: no secrets, no whole phone numbers, no control characters."""
