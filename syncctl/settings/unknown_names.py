"""Unknown names in a settings file: misspelled settings, and leftovers of the old system.

The web app and the old system may share the file, so most unknown names are legitimate.
"""

from __future__ import annotations

from syncctl.settings.specs import SPECS

OURS = frozenset(name for spec in SPECS for name in spec.names)

_LETTERS_PER_SLIP = 6
_MOST_SLIPS = 2
"""One typo per six letters, at most two: EXPORT_DIR is not a misspelled IMPORT_DIR."""

_OTHERS_WORD = "APP"
"""One letter away from API, but a different word: APP_BASE_URL belongs to the web app."""


def misspelt(name: str) -> str | None:
    """The setting that `name` probably means: one or two letters are wrong, missing or extra."""
    if name in OURS or _OTHERS_WORD in name.upper().split("_"):
        return None
    slips = {ours: _slips(name.upper(), ours) for ours in sorted(OURS)}
    nearest = min(slips, key=slips.__getitem__)
    most = min(_MOST_SLIPS, len(nearest) // _LETTERS_PER_SLIP)
    return nearest if slips[nearest] <= most else None


def is_of_rent_outs(name: str) -> bool:
    """Whether it is one of the old system's rent-out settings, which syncctl never uses."""
    return "RENTOUT" in name.upper().replace("_", "")


def _slips(written: str, meant: str) -> int:
    """The Levenshtein distance between two names."""
    row = list(range(len(meant) + 1))
    for count, letter in enumerate(written, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(meant, 1):
            replaced = diagonal + (letter != other)
            diagonal, row[place] = row[place], min(replaced, row[place] + 1, row[place - 1] + 1)
    return row[-1]
