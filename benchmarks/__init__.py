"""Benchmarks of syncctl as users run it, compared with the minimum cost of the same work."""
