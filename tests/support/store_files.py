"""Writes stores' files for tests, and counts an import's results."""

import csv
from pathlib import Path

from syncctl.domain.run_results import RunResult
from tests.support.webapp import Lead
from tests.support.world import World

SAMPLES = Path(__file__).parents[1] / "integration" / "samples"
HEADER = ["Date", "Customer Name", "Contact", "Function Date", "Staff", "Status", "Category", "Remarks"]
ROW = ["09-10-2025", "Anagha S", "7796831125", "28-11-2025", "RAYAN", "Booked", "ENQUIRY", "just enquiry"]


def write(file: Path, *rows: list[str], header: list[str] = HEADER) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["Walk-In Report"], header, *rows])
    return file


def row(**changes: str) -> list[str]:
    titles = dict(zip(HEADER, ROW, strict=True))
    return list((titles | {title.replace("_", " "): value for title, value in changes.items()}).values())


def counts(result: RunResult) -> tuple[int, int, int, int, int, int]:
    step = result.steps[0]
    assert step.counts.balanced
    told = step.counts
    return told.saved, told.updated, told.existing, told.reported, told.merged, told.invalid


def snapshot(world: World) -> dict[str, Lead]:
    return {lead["_id"]: lead for lead in world.app.leads()}


def forget(world: World) -> None:
    """Delete all of syncctl's own data, as before its first run."""
    if world.url.startswith("sqlite"):
        world.app._database.execute("DELETE FROM syncrecords")
    else:
        world.app._database.syncrecords.delete_many({})  # type: ignore[union-attr]


NAMES_WRITTEN_TWICE = [
    ("Renée K", "Rene\u0301e K"),
    ("\u0d15\u0d4a\u0d1a\u0d4d\u0d1a\u0d3f", "\u0d15\u0d46\u0d3e\u0d1a\u0d4d\u0d1a\u0d3f"),
    ("Anjali Nair", "Anjali\u200b Nair"),
    ("Meera Das", "\u202aMeera Das\u202c"),
    ("Meera Das", "Mee\u00adra Das\ufeff"),
    ("അവന്\u200d", "അവൻ"),
    ("അവര്\u200d", "അവർ"),
    ("അവള്\u200d", "അവൾ"),
    ("അനില്\u200d", "അനിൽ"),
    ("കണ്ണന്\u200d", "കണ്ണൻ"),
    ("ആണ്\u200d", "ആൺ"),
    ("Anu \u2764\ufe0f", "Anu \u2764"),
]
"""Names that read the same in other code points: composed or not, format characters, old and new chillu."""
