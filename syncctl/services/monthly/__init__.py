"""The month for head office: what came in, what was called, what the syncs did."""
