"""Three files that tell of the same visits, in any order, with telecallers at work in between: the leads are
the same wherever the rule allows it (docs/how-it-works.md, "The order of imports")."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.sources import StepName
from syncctl.errors import InvalidRowError
from syncctl.files.headers import cells_of
from syncctl.mapping.file_rows import FileRecord, file_record, usable_cells
from syncctl.sandbox import Sandbox
from tests.support.webapp import finish, pages_for
from tests.support.world import KOLKATA, World

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE
STORE = "Suitor Guy - Calicut"
CUSTOMERS = (
    ("Anju", "9000000001"),
    ("Anju K", "9000000001"),
    ("Manu", "9000000002 / 9000000003"),
    ("Sonu", "9000000003"),
)
DAYS = ("10-10-2026", "11-10-2026")
COLUMNS = {
    WALKIN: ("Function Date", "Staff", "Status", "Category", "Sub Category", "Remarks"),
    LOSS: ("Function Date", "Staff Name", "Reason", "Category", "Comments", "Other Comments"),
}
VALUES = {
    "Function Date": ("", "01-12-2026", "02-12-2026"),
    "Status": ("Loss", "Revisit Loss", "Booked", ""),
}
TEXTS = ("", "price", "colour")
EDITS = {
    "remarks": "called twice",
    "closingStatus": "Lost",
    "reasonCollectedFromStore": "size",
    "callStatus": "Called",
}
NOT_COMPARED = {"_id", "updatedAt"}

Visit = tuple[str, str, str]
"""Name, phone and day, as the files write them."""


@dataclass(frozen=True)
class StoreFile:
    """A file that a store sends."""

    kind: StepName
    columns: tuple[str, ...]
    rows: Mapping[Visit, Mapping[str, str]]

    def write(self, folder: Path, number: int) -> Path:
        file = folder / f"{self.kind}_sg_calicut_{number}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("Date", "Customer Name", "Contact", *self.columns))
            for (name, phone, day), cells in self.rows.items():
                writer.writerow((day, name, phone, *(cells[column] for column in self.columns)))
        return file

    def records(self) -> Iterator[FileRecord]:
        for (name, phone, day), cells in self.rows.items():
            row = {
                "Date": day,
                "Customer Name": name,
                "Contact": phone,
                **{c: cells[c] for c in self.columns},
            }
            yield file_record(self.kind, usable_cells(cells_of(row)), STORE, KOLKATA)


@dataclass(frozen=True)
class Work:
    """What a telecaller does to a lead of the first day, as soon after so many files as there is such a
    lead."""

    customer: int
    lead_type: str
    after: int
    changes: tuple[tuple[str, Any], ...] = ()
    """The fields and their new values; none: see `ends`."""

    ends: str = ""
    """ "deleted" or "finished"."""


@st.composite
def files(draw: st.DrawFn) -> StoreFile:
    kind = draw(st.sampled_from((WALKIN, LOSS)))
    columns = draw(st.lists(st.sampled_from(COLUMNS[kind]), unique=True))
    visits = draw(
        st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(DAYS)), unique=True, min_size=1, max_size=4
        )
    )
    rows = {
        (*customer, day): {column: draw(st.sampled_from(VALUES.get(column, TEXTS))) for column in columns}
        for customer, day in visits
    }
    return StoreFile(kind, tuple(columns), rows)


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""No shrinking: an example is eighteen imports."""

WORK = st.one_of(
    st.builds(
        Work,
        st.integers(0, len(CUSTOMERS) - 1),
        st.sampled_from(("general", "lossOfSale")),
        st.integers(1, 2),
        st.lists(st.sampled_from(sorted(EDITS.items())), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    st.builds(
        Work,
        st.integers(0, len(CUSTOMERS) - 1),
        st.sampled_from(("general", "lossOfSale")),
        st.integers(1, 2),
        st.just(()),
        st.sampled_from(("deleted", "finished")),
    ),
)


@dataclass
class Claims:
    """What the files say of one record."""

    by_kind: dict[tuple[str, StepName], set[Any]] = field(default_factory=lambda: defaultdict(set))

    def add(self, kind: StepName, record: FileRecord) -> None:
        for name in record.provided:
            self.by_kind[name, kind].add(record.record.values.get(name))

    def agreed(self, name: str) -> tuple[bool, Any]:
        """Whether the rule allows one value only, and which: each kind of file says one thing, and where both
        say something, the same."""
        of_kinds = [self.by_kind[name, kind] for kind in (WALKIN, LOSS) if self.by_kind.get((name, kind))]
        said = {value for values in of_kinds for value in values} - {None}
        return all(len(values) == 1 for values in of_kinds) and len(said) <= 1, next(iter(said), None)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=1, bookings=1) as sandbox:
        yield sandbox


class Office:
    """One order of the files, with the telecallers."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.folder = folder
        self.world = World(sandbox, f"sqlite:///{folder / 'syncctl.db'}")
        self.world.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.pending: list[Work] = []

    def close(self) -> None:
        self.world.close()

    def play(self, files: Sequence[tuple[int, StoreFile]], work: Sequence[Work]) -> None:
        self.pending = list(work)
        for done, (number, file) in enumerate(files, start=1):
            self.world.now += timedelta(hours=1)
            (step,) = self.world.import_files(file.kind, file.write(self.folder, number)).steps
            assert step.error is None
            assert step.counts.balanced
            self.world.now += timedelta(hours=1)
            for each in [each for each in self.pending if each.after <= done]:
                if self.is_done(each):
                    self.pending.remove(each)

    def is_done(self, work: Work) -> bool:
        name = CUSTOMERS[work.customer][0]
        leads = [
            lead
            for lead in self.world.app.leads(leadType=work.lead_type)
            if lead["name"] == name and _day(lead) == DAYS[0]
        ]
        for lead in leads:
            if work.ends == "deleted":
                self.world.app.delete(lead["_id"])
            elif work.ends == "finished":
                finish(self.world.app, lead, pages_for(lead)[0])
            else:
                self.world.app.edit(lead["_id"], updatedAt=self.world.now, **dict(work.changes))
        return bool(leads)

    def leads(self) -> dict[str, dict[str, Any]]:
        return {
            lead["_id"]: {name: value for name, value in lead.items() if name not in NOT_COMPARED}
            for lead in self.world.app.leads()
        }


def _day(lead: Mapping[str, Any]) -> str:
    day: datetime = lead["enquiryDate"]
    return day.strftime("%d-%m-%Y")


def played(
    sandbox: Sandbox, folder: Path, files: Sequence[StoreFile], work: Sequence[Work]
) -> dict[tuple[int, ...], dict[str, dict[str, Any]]]:
    """The leads in the end, by the order of the files."""
    found = {}
    for order in permutations(range(len(files))):
        place = folder / "".join(map(str, order))
        place.mkdir(parents=True)
        with closing(Office(sandbox, place)) as office:
            office.play([(number, files[number]) for number in order], work)
            found[order] = office.leads()
    return found


def claims_of(files: Sequence[StoreFile]) -> dict[str, Claims]:
    """What all files say, by the record's id."""
    claims: dict[str, Claims] = defaultdict(Claims)
    for file in files:
        for record in file.records():
            claims[record.record.lead_id].add(file.kind, record)
    return claims


def check(sandbox: Sandbox, folder: Path, files: Sequence[StoreFile], work: Sequence[Work]) -> None:
    outcomes = played(sandbox, folder, files, work)
    claims = claims_of(files)
    edited = {
        (CUSTOMERS[each.customer][0], each.lead_type, DAYS[0], name)
        for each in work
        for name, _ in each.changes
    }
    first = next(iter(outcomes.values()))
    for order, leads in outcomes.items():
        assert leads.keys() == first.keys(), order
        for lead_id, lead in leads.items():
            for name in {each for each, _ in claims[lead_id].by_kind} | {*EDITS}:
                is_agreed, value = claims[lead_id].agreed(name)
                if (lead["name"], lead["leadType"], _day(lead), name) in edited:
                    assert lead.get(name) == EDITS[name], (order, name)
                elif is_agreed and name != "callStatus":
                    assert lead.get(name) == (LEAD_FIELDS[name].default if value is None else value), (
                        order,
                        name,
                    )


@settings(max_examples=4, phases=QUICK)
@given(st.lists(files(), min_size=3, max_size=3), st.lists(WORK, max_size=2))
def test_the_leads_are_the_same_in_any_order(
    sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory, sent: list[StoreFile], work: list[Work]
) -> None:
    try:
        claims_of(sent)
    except InvalidRowError:
        return
    check(sandbox, tmp_path_factory.mktemp("orders"), sent, work)


@pytest.mark.slow
@settings(max_examples=20, phases=QUICK)
@given(st.lists(files(), min_size=3, max_size=3), st.lists(WORK, max_size=3))
def test_the_leads_are_the_same_in_any_order_at_length(
    sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory, sent: list[StoreFile], work: list[Work]
) -> None:
    check(sandbox, tmp_path_factory.mktemp("orders"), sent, work)


ANJU: Visit = (*CUSTOMERS[0], DAYS[0])


def telling(kind: StepName, **cells: str) -> StoreFile:
    """A file that tells of one visit; names of columns with _ for a space."""
    columns = {name.replace("_", " "): value for name, value in cells.items()}
    return StoreFile(kind, tuple(columns), {ANJU: columns})


def ends(
    sandbox: Sandbox, folder: Path, field: str, files: Sequence[StoreFile], *work: Work
) -> dict[tuple[int, ...], Any]:
    """What the lead of the visit holds in the end, by the order of the files."""
    return {order: lead.get(field) for order, (lead,) in leads_of(sandbox, folder, files, work)}


def leads_of(
    sandbox: Sandbox, folder: Path, files: Sequence[StoreFile], work: Sequence[Work]
) -> Iterator[tuple[tuple[int, ...], list[dict[str, Any]]]]:
    for order, leads in played(sandbox, folder, files, work).items():
        yield order, list(leads.values())


def test_of_two_files_of_one_kind_the_last_counts(sandbox: Sandbox, tmp_path: Path) -> None:
    files = [telling(WALKIN, Staff="Ann"), telling(WALKIN, Staff="Ben")]
    assert ends(sandbox, tmp_path / "said", "attendedBy", files) == {(0, 1): "Ben", (1, 0): "Ann"}
    files = [telling(WALKIN, Staff="Ann"), telling(WALKIN, Staff="")]
    assert ends(sandbox, tmp_path / "emptied", "attendedBy", files) == {(0, 1): None, (1, 0): "Ann"}


def test_of_two_kinds_the_first_decides_and_the_other_fills_gaps(sandbox: Sandbox, tmp_path: Path) -> None:
    walkin, loss = telling(WALKIN, Status="Loss", Category="price"), telling(LOSS, Reason="size")
    assert ends(sandbox, tmp_path / "said", "reason", [walkin, loss]) == {(0, 1): "price", (1, 0): "size"}
    empty = telling(LOSS, Reason="")
    assert ends(sandbox, tmp_path / "gap", "reason", [walkin, empty]) == {(0, 1): "price", (1, 0): "price"}


def test_what_the_other_kind_has_filled_it_does_not_correct(sandbox: Sandbox, tmp_path: Path) -> None:
    files = [telling(WALKIN, Status="Loss"), telling(LOSS, Reason="size"), telling(LOSS, Reason="price")]
    assert ends(sandbox, tmp_path, "reasonCollectedFromStore", files) == {
        (0, 1, 2): "size",
        (0, 2, 1): "price",
        (1, 0, 2): "price",
        (1, 2, 0): "price",
        (2, 0, 1): "size",
        (2, 1, 0): "size",
    }


def test_what_a_telecaller_empties_stays_empty_only_if_it_was_filled(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    files = [telling(WALKIN, Remarks="call me"), telling(WALKIN, Staff="Ann")]
    emptied = Work(0, "general", 1, (("remarks", ""),))
    assert ends(sandbox, tmp_path, "remarks", files, emptied) == {(0, 1): "", (1, 0): "call me"}
