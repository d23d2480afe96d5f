"""Renders the rejects list and the result of a retry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from textwrap import shorten
from typing import TYPE_CHECKING

from syncctl.cli.logs.run_events import counts_text
from syncctl.cli.render.printer import print_json, print_line, print_message

if TYPE_CHECKING:
    from syncctl.domain.records import Reject
    from syncctl.domain.run_results import Counts

VALUES_SHOWN = 160
"""Characters of a raw row shown by `rejects list`; --json and the export have it in full."""


def render_rejects(
    rejects: Sequence[Reject], total: int, redact: Callable[[str], str], *, as_json: bool
) -> None:
    """Rejects with masked phone numbers; `total`: how many exist."""
    from syncctl.safe_output.printable import printable
    from syncctl.safe_output.redact import redacted
    from syncctl.services.rejects.reject_list import masked_document

    documents = [masked_document(reject) for reject in rejects]
    if as_json:
        print_json(redacted(documents, redact))
        return
    for document in documents:
        place = document["where"] + (f" {document['sheet']}" if document["sheet"] else "")
        place += (
            f" row {document['row']}" if document["row"] is not None else f" {document['store']}".rstrip()
        )
        values = ", ".join(f"{title}: {value}" for title, value in document["values"].items() if value)
        shown = shorten(redact(values), VALUES_SHOWN, placeholder=" …")
        line = f"{document['rejected_at']}  {document['kind']} {place}: {document['reason']}  ({shown})"
        print_line(printable(" ".join(redact(line).split())))
    if not total:
        print_message("The rejects list is empty.")
    elif total > len(rejects):
        print_message(
            f"{len(rejects)} of {total} shown: --limit 0 shows all, --kind, --reason, --file filter."
        )


def render_retry(counts: Counts, *, as_json: bool) -> None:
    """The result of a retry."""
    if as_json:
        print_json({"command": "rejects retry", **asdict(counts)})
    else:
        outcome = counts_text(counts).replace("rejected", "still invalid")
        print_line(f"Tried again: {outcome}." if counts.rows else "The rejects list is empty.")
