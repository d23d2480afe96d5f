"""Names in a settings file that are not settings of syncctl: misspelt ones, and what the old system left.

The web app and the old system may share the file, so that most of these names are right where they are.
"""

from __future__ import annotations

from syncctl.settings.specs import SPECS

OURS = frozenset(name for spec in SPECS for name in spec.names)

_LETTERS_PER_SLIP = 6
_MOST_SLIPS = 2
"""One slip for every six letters, but no more than two: EXPORT_DIR is not a misspelt IMPORT_DIR."""

_OTHERS_WORD = "APP"
"""One letter from API, but a word of its own: APP_BASE_URL is the web app's."""


def misspelt(name: str) -> str | None:
    """The setting that `name` is a near-misspelling of: a letter or two are wrong, missing or too many."""
    if name in OURS or _OTHERS_WORD in name.upper().split("_"):
        return None
    slips = {ours: _slips(name.upper(), ours) for ours in sorted(OURS)}
    nearest = min(slips, key=slips.__getitem__)
    most = min(_MOST_SLIPS, len(nearest) // _LETTERS_PER_SLIP)
    return nearest if slips[nearest] <= most else None


def is_of_rent_outs(name: str) -> bool:
    """Whether it is one of the old system's settings for rent-outs, which syncctl never asks for."""
    return "RENTOUT" in name.upper().replace("_", "")


def _slips(written: str, meant: str) -> int:
    """How many letters must be added, removed or replaced to get from the one to the other (Levenshtein)."""
    row = list(range(len(meant) + 1))
    for count, letter in enumerate(written, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(meant, 1):
            replaced = diagonal + (letter != other)
            diagonal, row[place] = row[place], min(replaced, row[place] + 1, row[place - 1] + 1)
    return row[-1]
