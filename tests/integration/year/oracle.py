"""What the database may contain during the year: checked after every run of syncctl, and at the end."""

from collections import defaultdict
from collections.abc import Sequence

from syncctl.domain.run_results import Counts
from tests.integration.year.records import Record
from tests.integration.year.simulation import Simulation
from tests.support.recognition import Facts, Level, day_of, level, of_lead, of_report
from tests.support.report_links import linked_reports
from tests.support.webapp import Lead


class Oracle:
    """Checks that no lead comes back, is lost or duplicated, and no edit is overwritten.

    `wrong`: the violations by kind. `unrecognisable`: leads that were rightly created, by id, although their
    record had a lead or a report: nothing in it shows that (contract/database.md, "What tells which lead it
    was"). `of_the_app`: leads that the web app created again for records with a lead, by id, and how.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.register = simulation.register
        self.app = simulation.app
        self.wrong: dict[str, list[str]] = defaultdict(list)
        self.unrecognisable: dict[str, str] = {}
        self.of_the_app: dict[str, str] = {}

    # After a run.

    def after_run(
        self, when: str, said: Sequence[Record], counts: Counts, before: set[str], *, is_whole: bool
    ) -> None:
        """Check the leads that syncctl created from what it was shown. `before`: the ids of the earlier
        leads. `is_whole`: it was shown everything, however old."""
        seen_before = {record for record in said if record.was_seen}
        for record in said:
            record.was_seen = True
        definite = {record for record in said if self._must_not_return(record)}
        possible = {record for record in said if record.reports}
        leads = {lead["_id"]: lead for lead in self.app.leads()}
        for lead_id in sorted(leads.keys() - before):
            self._take_in(when, leads[lead_id], leads, seen_before)
        if not (len(definite) if is_whole else 0) <= counts.reported <= len(possible):
            self._note(
                "counted in reports",
                f"{when}: {counts.reported}, of {len(definite)} to {len(possible)} finished",
            )
        for record in said:
            if not record.leads and not record.is_gone:
                self._note("lost", f"{when}: {record}")
        self.check_leads(when, leads, may_delete=False)
        self._check_report_links(when, definite if is_whole else set())

    def check_leads(self, when: str, leads: dict[str, Lead], *, may_delete: bool) -> None:
        """Edits are unchanged and no lead is missing; a cleanup may delete untouched ones."""
        for record in self.register:
            for lead_id, edits in list(record.leads.items()):
                if lead_id not in leads:
                    if edits or not may_delete:
                        self._note("vanished", f"{when}: {record}, edited: {edits}")
                    del record.leads[lead_id]
                elif edits.items() - leads[lead_id].items():
                    self._note("edits gone", f"{when}: {record}: {edits}")
        for lead_id, lead in self.register.typed.items():
            if leads.get(lead_id) != lead:
                self._note("typed in by hand", f"{when}: {lead['name']}")

    def _take_in(self, when: str, lead: Lead, leads: dict[str, Lead], seen_before: set[Record]) -> None:
        """A lead created by syncctl: its record must have had neither lead nor report. Whatever syncctl
        has seen before it must recognize, even after edits."""
        record = self.register.of_source(lead)
        if record is None:
            self._note("strangers", f"{when}: {lead}")
            return
        others = [leads[lead_id] for lead_id in record.leads if lead_id in leads]
        what = f"{when}: {record}, edited: {record.edited}"
        if others:
            known = record in seen_before or any(self._fits(of_lead(other), record) for other in others)
            self._note_or_allow("doubled", what, lead["_id"], is_wrong=known)
        elif record.is_gone:
            known = record.was_seen_when_gone or any(
                self._fits(of_report(report), record) for report in record.reports.values()
            )
            self._note_or_allow("back", what, lead["_id"], is_wrong=known)
        record.leads[lead["_id"]] = {}

    def _must_not_return(self, record: Record) -> bool:
        """Whether it is finished, and its report shows it."""
        return not record.leads and any(
            self._fits(of_report(report), record) for report in record.reports.values()
        )

    def _fits(self, facts: Facts, record: Record) -> bool:
        return self.register.recognisable(facts, record)

    def _check_report_links(self, when: str, finished: set[Record]) -> None:
        """Each finished record stores its report's id, and no other record does."""
        owners: dict[str, Record | None] = {str(report["_id"]): None for report in self.app.reports()}
        owners |= {report_id: record for record in self.register for report_id in record.reports}
        kept = linked_reports(self.app)
        for report_id, values in kept.items():
            records = [self.register.of_source(each) for each in values]
            if records != [owners[report_id]]:
                self._note("wrong report", f"{when}: of {owners[report_id]}, kept by {[*map(str, records)]}")
        missing = [record for record in finished if not record.reports.keys() & kept.keys()]
        if missing and not kept:
            self._note("reports not kept", f"{when}: no record keeps which report has finished it")
        else:
            for record in missing:
                self._note("reports not kept", f"{when}: {record}")

    # At the end.

    def at_the_end(self) -> None:
        """Each record has one lead, or none if people finished or deleted it."""
        leads = {lead["_id"]: lead for lead in self.app.leads()}
        for record in self.register:
            present = [lead_id for lead_id in record.leads if lead_id not in self.unrecognisable]
            if record.is_gone:
                untouched = [lead_id for lead_id in present if not record.leads[lead_id]]
                if untouched and self._is_cleaned(record):
                    self._note("back at the end", str(record))
            elif not present:
                self._note("lost at the end", str(record))
            elif len(present) > 1:
                hows = {self.of_the_app[lead_id] for lead_id in present if lead_id in self.of_the_app}
                kind = " ".join(["doubled at the end", *sorted(hows)])
                self._note(kind, f"{record}: {[record.leads[lead_id] for lead_id in present]}")
            if len(present) == len(record.leads) and not record.is_gone:
                for lead_id in present:
                    self._check_fields(record, leads[lead_id], record.leads[lead_id])

    def _is_cleaned(self, record: Record) -> bool:
        """Whether `cleanup finished` deletes an untouched lead of it; weaker matches it only lists."""
        if not record.reports:
            return record.was_seen_when_gone
        known = [of_report(report) for report in record.reports.values()]
        return any(
            level(facts, record.facts) >= Level.BOOKING
            or (facts.instants & record.facts.instants and facts.agree(record.facts, "phone"))
            for facts in known
        )

    def _check_fields(self, record: Record, lead: Lead, edits: Lead) -> None:
        if not record.was_seen or lead["_id"] in self.of_the_app:
            return
        if "store" not in edits and lead["store"] != record.store:
            self._note("store", f"{record}: {lead['store']}")
        if record.lead_type == "lossOfSale":
            visited = lead.get("visitDate")
            if not visited or day_of(visited) != record.day:
                self._note("visit date", f"{record}: {visited}")

    # What it says.

    def _note(self, kind: str, what: str) -> None:
        self.wrong[kind].append(what)

    def _note_or_allow(self, kind: str, what: str, lead_id: str, *, is_wrong: bool) -> None:
        if is_wrong:
            self._note(kind, what)
        else:
            self.unrecognisable[lead_id] = f"{kind}: {what}"

    def summary(self) -> str:
        """What went wrong, some lines of each kind, and what could not be recognised."""
        lines: list[str] = []
        for kind, those in sorted(self.wrong.items()):
            lines += [f"{kind}: {len(those)}", *(f"    {what}" for what in those[:6])]
        lines.append(f"imported again, as nothing tells them: {len(self.unrecognisable)}")
        return "\n".join([*lines, *(f"    {what}" for what in self.unrecognisable.values())])
