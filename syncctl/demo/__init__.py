"""The whole job on made-up data, from an empty database."""
