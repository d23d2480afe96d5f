"""Tells a monitoring service how runs went."""
