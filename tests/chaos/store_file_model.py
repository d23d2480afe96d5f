"""The stores' files as written by the state machine, and the leads that the contract expects of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from tests.support.oracle import Key
from tests.support.recognition import Facts, of_lead
from tests.support.store_files import HEADER, write
from tests.support.webapp import Lead

NAMES = ("Anagha", "ANAGHA", "Biju")
PHONES = ("9400000001", "9400000002")
DAYS = (*("01-03-2026",) * 4, "")
FUNCTIONS = ("", "20-04-2026", "21-04-2026")
STATUSES = ("Booked", "Trial", "Loss", "")
REMARKS = ("", "wants blue", "will confirm")
KINDS = {"walkin": StepName.WALKIN, "lossofsale": StepName.LOSS_OF_SALE}
PLACES = {"sg_perinthalmanna": "Suitor Guy - Perinthalmanna", "z_edappally": "Zorucci - Edappally"}

rows = st.tuples(
    st.sampled_from(DAYS),
    st.sampled_from(NAMES),
    st.sampled_from((*PHONES, *PHONES, *PHONES, "12")),
    st.sampled_from(FUNCTIONS),
    st.just("RAYAN"),
    st.sampled_from(STATUSES),
    st.sampled_from(("ENQUIRY", "Price")),
    st.sampled_from(REMARKS),
).map(list)
"""Rows of few customers, so that they occur repeatedly."""


@dataclass(frozen=True)
class FileLead:
    """The lead expected from a row."""

    key: Key

    fields: dict[str, Any]
    """Of the lead, empty ones None, including those that can be provided again later."""

    def as_facts(self) -> Facts:
        """The identifying facts in the row."""
        lead_type, _, phone, _, store, _ = self.key
        return of_lead({**self.fields, "leadType": lead_type, "phone": phone, "store": store})


@dataclass(frozen=True)
class StoreFile:
    """The current file of one kind and store."""

    kind: str
    place: str
    lines: Sequence[list[str]]

    @property
    def step(self) -> StepName:
        return KINDS[self.kind]

    def write_in(self, folder: Path) -> Path:
        return write(folder / f"{self.kind}_{self.place}.csv", *self.lines)

    @property
    def invalid(self) -> int:
        return sum(not _has_number(line) for line in self.lines)

    def visits(self) -> dict[Key, FileLead]:
        """Its leads, each from its last row."""
        leads = (
            self._lead_of_row(dict(zip(HEADER, line, strict=True)))
            for line in self.lines
            if _has_number(line)
        )
        return {file_lead.key: file_lead for file_lead in leads}

    def _lead_of_row(self, cells: Mapping[str, str]) -> FileLead:
        lost = self.step is StepName.LOSS_OF_SALE or "Loss" in cells["Status"]
        day, function_day = _date(cells["Date"]), _date(cells["Function Date"])
        name, store = cells["Customer Name"], PLACES[self.place]
        fields = {
            "name": name,
            "enquiryDate": day,
            "functionDate": function_day,
            "attendedBy": cells["Staff"],
            "closingStatus": cells["Status"] or None,
            "enquiryType": cells["Category"],
            "remarks": cells["Remarks"] or None,
        }
        if day:
            fields["createdAt"] = day
        if lost:
            fields["visitDate"] = day
            fields["reason"] = fields["reasonCollectedFromStore"] = cells["Category"]
        lead_type = "lossOfSale" if lost else "general"
        written = (day or function_day).date().isoformat() if day or function_day else ""  # type: ignore[union-attr]
        key = (lead_type, "", cells["Contact"], " ".join(name.lower().split()), store, written)
        return FileLead(key, fields)


def new_lead(file_lead: FileLead, first_seen_at: datetime) -> Lead:
    """The lead created from a row (contract/files.md, contract/database.md)."""
    created_at = file_lead.fields.get("createdAt") or first_seen_at
    lost = file_lead.key[0] == "lossOfSale"
    return {
        **{name: value for name, value in file_lead.fields.items() if value is not None},
        "leadType": file_lead.key[0],
        "source": "Loss of Sale" if lost else "Walk-in",
        "phone": file_lead.key[2],
        "store": file_lead.key[4],
        "remarks": file_lead.fields["remarks"] or "",
        "createdAt": created_at,
        "updatedAt": created_at,
        "callStatus": "Not Called",
        "leadStatus": "No Status",
        "followUpFlag": False,
        "assignedTo": None,
        "__v": 0,
    }


def _has_number(line: list[str]) -> bool:
    return len(line[HEADER.index("Contact")]) == 10


def _date(written: str) -> datetime | None:
    return datetime.strptime(written, "%d-%m-%Y").replace(tzinfo=UTC) if written else None
