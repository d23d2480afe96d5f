"""The whole job on made-up data, from nothing."""
