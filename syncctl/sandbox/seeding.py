"""Random generators that depend only on their seed."""

from random import Random


def seeded(*parts: object) -> Random:
    """A generator with the same numbers for the same parts, in every process and on every machine."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - made-up data and faults, nothing to protect
