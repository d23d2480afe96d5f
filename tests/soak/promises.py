"""The expected database content at any time: checked repeatedly, each breach recorded once."""

from collections import defaultdict

from tests.soak.business import NEVER, Business, Record
from tests.support.webapp import Lead

LOST, DOUBLED, OVERWRITTEN, BACK = "leads lost", "leads doubled", "edits overwritten", "leads come back"
STRANGE, BROKEN, UNBALANCED = "leads of nobody", "runs failed without a cause", "runs with uncounted rows"
GROWN = "what must not grow has grown"
PROMISES = (LOST, DOUBLED, OVERWRITTEN, BACK, STRANGE, BROKEN, UNBALANCED, GROWN)

UNEDITED_VALUES = {"callStatus": "Not Called", "leadStatus": "No Status", "followUpFlag": False}
"""Values of unedited fields that don't come from the source."""

TIMESTAMP_FIELDS = {"updatedAt"}
"""Fields that show when a lead was changed."""


class Promises:
    """`wrong`: the breaches, by promise."""

    def __init__(self, business: Business) -> None:
        self.wrong: dict[str, list[str]] = defaultdict(list)
        self._business = business
        self._noted: set[tuple[str, object]] = set()

    def note(self, promise: str, what: object, text: str) -> None:
        """Record the first breach concerning `what`."""
        if (promise, what) not in self._noted:
            self._noted.add((promise, what))
            self.wrong[promise].append(text)

    def check(self, when: str, *, is_last: bool = False) -> None:
        """Compare all leads with the expected ones. `is_last`: everything is due, after an undisturbed
        full run without changes."""
        business = self._business
        leads = {lead["_id"]: lead for lead in business.app.leads()}
        owners = {lead_id: record for record in business.records for lead_id in record.leads}
        for lead_id in leads.keys() - owners.keys() - business.typed.keys():
            self._take_in(when, leads[lead_id])
        for lead_id, typed in business.typed.items():
            if leads.get(lead_id) != typed:
                self.note(OVERWRITTEN, lead_id, f"{when}: typed in by hand: {typed['name']}")
        runs = NEVER - 1 if is_last else business.runs
        for record in business.records:
            self._check_record(when, record, leads, runs)

    def check_reports(self, when: str) -> None:
        """People's reports are all there, and no others."""
        found = {report["_id"] for report in self._business.app.reports()}
        for report_id in found ^ self._business.report_ids:
            self.note(OVERWRITTEN, report_id, f"{when}: the report {report_id} is gone, or of nobody")

    def _take_in(self, when: str, lead: Lead) -> None:
        """A lead created by a run."""
        record = self._business.record_of(lead)
        if record is None:
            self.note(STRANGE, lead["_id"], f"{when}: {lead}")
            return
        if record.leads:
            self.note(DOUBLED, lead["_id"], f"{when}: {record}")
        elif record.is_gone and not record.may_return:
            self.note(BACK, lead["_id"], f"{when}: {record}")
        elif record.is_gone:
            record.is_finished = record.may_return = False
        record.leads[lead["_id"]] = {}

    def _check_record(self, when: str, record: Record, leads: dict[str, Lead], runs: int) -> None:
        gone = record.leads.keys() - leads.keys()
        if gone:
            self.note(LOST, record, f"{when}: {record} had {gone}")
        if record.due <= runs and not (record.leads or record.is_gone or record.is_optional):
            self.note(LOST, record, f"{when}: {record}")
        for lead_id, edits in record.leads.items():
            if lead_id in leads:
                self._check_fields(when, record, leads[lead_id], edits)
                self._check_phone(when, record, leads[lead_id], edits, runs)

    def _check_fields(self, when: str, record: Record, lead: Lead, edits: Lead) -> None:
        """Edited fields have people's values; any other has the default or a value of the source: for a
        file, the last imported one."""
        for name, value in edits.items():
            if lead.get(name) != value and name not in TIMESTAMP_FIELDS:
                text = f"{when}: {record}: {name} is {lead.get(name)!r}, not {value!r}"
                self.note(OVERWRITTEN, (lead["_id"], name), text)
        for name in (
            (set(lead) | set(record.said[-1]))
            - edits.keys()
            - TIMESTAMP_FIELDS
            - {"_id", "assignedTo", "__v"}
        ):
            said = [{**UNEDITED_VALUES, **values}.get(name) for values in record.said]
            allowed = said[record.passed :]
            if lead.get(name) not in allowed:
                promise = LOST if lead.get(name) in said else OVERWRITTEN
                text = f"{when}: {record}: {name} is {lead.get(name)!r}, of {allowed}"
                self.note(promise, (lead["_id"], name), text)

    def _check_phone(self, when: str, record: Record, lead: Lead, edits: Lead, runs: int) -> None:
        """A corrected number has come, where nobody has called the old one."""
        is_due = record.news_due <= runs and lead["callStatus"] == "Not Called" and "phone" not in edits
        if is_due and lead["phone"] != record.phone:
            self.note(LOST, (record, record.phone), f"{when}: {record}: the phone number {record.phone}")
