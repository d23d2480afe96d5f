"""Nothing that a run does to the database is out of the reach of the tests that disturb it."""

from pathlib import Path

from syncctl.ports.admin import Database
from tests.chaos.jobs import JOBS, MORE_JOBS
from tests.chaos.prepared import prepared
from tests.support.failing_storage import CONNECTION_METHODS, READS, WRITES

LOOKS = frozenset(
    {
        "open_rejects",
        "count_leads",
        "duplicate_count",
        "scan_records",
        "last_sync_logs",
        "sync_logs",
        "first_run_at",
        "run_spans",
        "leads_by_age",
        "leads_created",
        "reports_on_leads_created",
        "leads_per_day",
        "leads_that_may_have",
        "saved_by_audits",
    }
)
"""What only commands read that look, or that are about to begin a run."""

COUNTED = frozenset({"save_duplicate_count"})
"""What is kept after a look, in a connection of its own."""

MEASURED = frozenset({"save_dialect"})
"""What only a measurement writes, which is made once a day: tests/unit/test_measuring.py disturbs it."""

CORRECTED = frozenset({"replace_records", "renew_records", "add_corrections"})
"""What only a corrected phone number makes a run write: tests/integration/test_corrections.py disturbs it."""


def test_every_method_of_the_ports_can_fail() -> None:
    methods = {name for port in Database.__mro__ for name in vars(port) if not name.startswith("_")}
    assert methods == WRITES | READS | CONNECTION_METHODS
    assert len(methods) == len(WRITES) + len(READS) + len(CONNECTION_METHODS)


def test_every_one_is_called_by_some_job(tmp_path: Path) -> None:
    called: set[str] = set()
    for number, job in enumerate((*JOBS, *MORE_JOBS)):
        with prepared(job, f"sqlite:///{tmp_path / f'{number}.db'}", tmp_path) as ready:
            called |= set(ready.calls(WRITES | READS))
    assert called == (WRITES | READS) - LOOKS - COUNTED - MEASURED - CORRECTED
