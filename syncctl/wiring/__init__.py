"""Wires settings to adapters and adapters to services: the one place that knows all of them."""
