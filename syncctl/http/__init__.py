"""Rules for every HTTP session of syncctl."""
