"""Unknown names in a settings file: misspelled settings, and leftovers of the old system.

The web app and the old system may share the file, so most unknown names are legitimate.
"""

from __future__ import annotations

from syncctl.settings.specs import SPECS

SYNCCTL_SETTINGS = frozenset(name for spec in SPECS for name in spec.names)

_LETTERS_PER_TYPO = 6
_MAX_TYPOS = 2
"""One typo per six letters, at most two: EXPORT_DIR is not a misspelled IMPORT_DIR."""

_FOREIGN_WORD = "APP"
"""One letter away from API, but a different word: APP_BASE_URL belongs to the web app."""


def likely_setting(name: str) -> str | None:
    """The setting that `name` probably means: one or two letters are wrong, missing or extra."""
    if name in SYNCCTL_SETTINGS or _FOREIGN_WORD in name.upper().split("_"):
        return None
    slips = {ours: _edit_distance(name.upper(), ours) for ours in sorted(SYNCCTL_SETTINGS)}
    nearest = min(slips, key=slips.__getitem__)
    most = min(_MAX_TYPOS, len(nearest) // _LETTERS_PER_TYPO)
    return nearest if slips[nearest] <= most else None


def is_rent_out_setting(name: str) -> bool:
    """Whether it is one of the old system's rent-out settings, which syncctl never uses."""
    return "RENTOUT" in name.upper().replace("_", "")


def _edit_distance(written: str, meant: str) -> int:
    """The Levenshtein distance between two names."""
    row = list(range(len(meant) + 1))
    for count, letter in enumerate(written, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(meant, 1):
            replaced = diagonal + (letter != other)
            diagonal, row[place] = row[place], min(replaced, row[place] + 1, row[place - 1] + 1)
    return row[-1]
