"""Random generators that depend on their seed alone."""

from random import Random


def seeded(*parts: object) -> Random:
    """A generator that gives the same numbers for the same parts, in every process and on every machine."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - made-up data and faults, nothing to protect
