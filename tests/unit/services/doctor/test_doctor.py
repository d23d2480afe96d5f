"""What `doctor` makes of what was found."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.checks import CheckResult, Finding
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import (
    ApiError,
    FinalApiError,
    KeyRefusedError,
    RetryableApiError,
    StorageError,
    StorageUnavailableError,
)
from syncctl.locations import load_locations
from syncctl.ports.admin import Database, OpeningHints
from syncctl.ports.api import Answer, Prepare
from syncctl.ports.machine import (
    ApiAddress,
    ApiClock,
    DiskSpace,
    LockState,
    PathFacts,
    ScheduledImport,
    ScheduleState,
    SettingFact,
    SettingsFacts,
    UnknownSetting,
    User,
    ZoneFacts,
)
from syncctl.services.checks.environment_checks import check_lock
from syncctl.services.doctor.connections import ApiProbe, check_api, check_clock, check_database
from syncctl.services.doctor.machine import (
    MIB,
    check_output,
    check_path,
    check_schedule,
    check_space,
    check_zones,
)
from syncctl.services.doctor.settings import check_settings
from syncctl.storage.registry import open_storage

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
CLERK, ROOT = User("clerk", is_root=False), User("root", is_root=True)
HINTS = OpeningHints(unusable="Start it.", not_writable="Ask for rights.")
GOOD, WARNING, BAD = CheckResult.PASSED, CheckResult.WARNING, CheckResult.FAILED


def marks(checks: Iterator[Finding]) -> dict[str, CheckResult]:
    """Each line's mark by its name; every line that is not good has a cure."""
    found = list(checks)
    assert all(check.result is GOOD or check.hint for check in found)
    return {check.name: check.result for check in found}


def path(**changes: Any) -> PathFacts:
    facts = PathFacts(
        what="Data folder",
        setting="DATA_DIR",
        path=Path("/srv/data"),
        exists=True,
        seen=Path("/srv/data"),
        is_folder=True,
        readable=True,
        writable=True,
        mode=0o700,
        owner="clerk",
    )
    return facts._replace(**changes)


@pytest.mark.parametrize(
    ("facts", "mark", "said"),
    [
        (path(), GOOD, "/srv/data (clerk, 0700)"),
        (path(exists=False, seen=Path("/srv")), GOOD, "the first run creates it"),
        (path(problem="Permission denied"), BAD, "Permission denied"),
        (path(is_folder=False), BAD, "isn't a folder"),
        (path(exists=False, seen=Path("/srv"), is_folder=False), BAD, "/srv isn't a folder"),
        (
            path(writable=False, owner="root", mode=0o755),
            BAD,
            "belongs to root (0755), but clerk has to write there",
        ),
        (path(exists=False, seen=Path("/srv"), writable=False), BAD, "can't be created: /srv belongs"),
        (path(mode=0o777), BAD, "everyone can write to /srv/data (0777), which is meant for clerk only"),
        (path(mode=0o755), BAD, "everyone can read /srv/data (0755), which is meant for clerk only"),
        (path(mode=0o750), BAD, "its group can read /srv/data (0750)"),
        (path(mode=0o711), BAD, "everyone can go into /srv/data (0711)"),
    ],
)
def test_folders(facts: PathFacts, mark: CheckResult, said: str) -> None:
    check = check_path(facts, CLERK, folder=True)
    assert check.result is mark
    assert said in check.message
    assert mark is GOOD or check.hint


def test_a_file_where_a_folder_stands() -> None:
    assert check_path(path(), CLERK).message == "/srv/data isn't a file"


def test_root_among_the_files_of_another_user() -> None:
    check = check_path(path(), ROOT, folder=True)
    assert check.result is WARNING
    assert "sudo -u clerk syncctl doctor" in check.hint


@pytest.mark.parametrize(
    ("free", "mark"), [(49 * MIB, BAD), (50 * MIB, WARNING), (499 * MIB, WARNING), (500 * MIB, GOOD)]
)
def test_room(free: int, mark: CheckResult) -> None:
    assert marks(check_space([DiskSpace(Path("/srv"), free)])) == {"Disk space": mark}


def test_output_that_nothing_rotates() -> None:
    large = path(is_folder=False, size=51 * MIB)
    (check,) = check_output(large, has_log_file=False)
    assert "SYNC_LOG_FILE" in check.hint
    (check,) = check_output(large, has_log_file=True)
    assert "SYNC_LOG_FILE" not in check.hint
    assert not list(check_output(path(is_folder=False, size=50 * MIB), has_log_file=False))


def test_zones() -> None:
    zones = ZoneFacts("Etc/UTC", "Asia/Kolkata", "Asia/Kolkata", schedule_moves=True)
    assert check_zones(zones, by_systemd=False).result is WARNING
    assert check_zones(zones, by_systemd=True).result is GOOD
    assert check_zones(zones._replace(schedule_moves=False), by_systemd=False).result is GOOD


def settings_facts(**changes: Any) -> SettingsFacts:
    good = SettingFact("API_TIMEOUT_S", "30", "default", "API_TIMEOUT_S", None)
    return SettingsFacts((good,), (Path("/srv/.env"),), (), ())._replace(**changes)


def test_settings() -> None:
    assert marks(check_settings(settings_facts())) == {"Settings": GOOD}
    assert marks(check_settings(settings_facts(files=()))) == {"Settings": WARNING}
    wrong = SettingFact("DATABASE_URL", "", "environment", "MONGO_URI", "it names no database")
    (check,) = check_settings(settings_facts(settings=(wrong,)))
    assert (check.result, check.name, check.message) == (
        BAD,
        "MONGO_URI",
        "it names no database (in the environment)",
    )


@pytest.mark.parametrize(
    ("name", "meant", "cure"),
    [
        ("API_SYNC_TIMES", "API_SYNC_TIME", "If API_SYNC_TIME is meant, rename it."),
        ("RENTOUT_API_BASE_URL", None, "syncctl never asks for rent-outs: delete this line."),
    ],
)
def test_names_that_are_not_settings(name: str, meant: str | None, cure: str) -> None:
    unknown = UnknownSetting(name, Path("/srv/.env.local"), meant)
    check = list(check_settings(settings_facts(unknown=(unknown,))))[-1]
    assert (check.result, check.name, check.hint) == (WARNING, name, cure)
    assert check.message == "syncctl has no setting of this name; it is in /srv/.env.local"


@pytest.mark.parametrize(("mode", "mark"), [(0o600, GOOD), (0o400, GOOD), (0o640, BAD), (0o604, BAD)])
def test_files_with_secrets(mode: int, mark: CheckResult) -> None:
    file = path(what=".env.local", path=Path("/srv/.env.local"), is_folder=False, mode=mode)
    assert marks(check_settings(settings_facts(secret_files=(file,))))[".env.local"] is mark


CRON = frozenset({"systemd", "cron"})


def state(*, installed: bool = True, in_step: bool = True, **changes: Any) -> ScheduleState:
    return ScheduleState(installed, in_step, "the line", **changes)


@pytest.mark.parametrize(
    ("found", "running", "scheduler", "line"),
    [
        (state(), CRON, GOOD, GOOD),
        (state(), frozenset({"systemd"}), BAD, GOOD),
        (state(), None, WARNING, GOOD),
        (state(in_step=False), CRON, GOOD, BAD),
        (state(installed=False, in_step=False), CRON, GOOD, WARNING),
        (state(installed=False, in_step=False), frozenset(), WARNING, WARNING),
        (state(installed=False, in_step=False, problem="a\nb"), CRON, GOOD, WARNING),
        (state(by_systemd=True), frozenset({"systemd"}), GOOD, GOOD),
        (state(by_systemd=True), frozenset({"cron"}), BAD, GOOD),
    ],
)
def test_schedules(
    found: ScheduleState, running: frozenset[str] | None, scheduler: CheckResult, line: CheckResult
) -> None:
    checks = check_schedule(found, running, (), enabled=True, runs_by_itself=None)
    assert marks(checks) == {"Scheduler": scheduler, "Crontab": line, "Automatic sync": GOOD}


def test_what_scheduled_runs_would_lack() -> None:
    found = marks(check_schedule(state(), CRON, ("API_TOKEN",), enabled=False, runs_by_itself=None))
    assert found["Environment"] is WARNING
    assert found["Automatic sync"] is WARNING


def test_nothing_is_to_be_installed_where_something_else_starts_the_sync() -> None:
    absent = state(installed=False, in_step=False, problem="no crontab(1) here")
    found = check_schedule(absent, frozenset(), (), enabled=True, runs_by_itself=True)
    assert set(marks(found).values()) == {GOOD}


def test_the_old_systems_sync_in_the_crontab() -> None:
    both = state(old_syncs=("*/10 * * * * npm run sync:api",))
    (found,) = (
        check
        for check in check_schedule(both, CRON, (), enabled=True, runs_by_itself=None)
        if check.name == "Old system's sync"
    )
    assert (found.result, found.message) == (BAD, "the crontab still runs it: */10 * * * * npm run sync:api")
    assert "`crontab -e`" in found.hint


def test_what_stands_above_the_line() -> None:
    above = state(obstacles=("SHELL=/no/shell: there is no such program",))
    (found,) = (
        check
        for check in check_schedule(above, CRON, (), enabled=True, runs_by_itself=None)
        if check.name == "Crontab variable"
    )
    assert (found.result, found.message) == (
        BAD,
        "above the line, the crontab has SHELL=/no/shell: there is no such program",
    )
    assert "`crontab -e`" in found.hint


def test_what_imports_files_by_itself() -> None:
    imports = (
        ScheduledImport("clerk's crontab", "0 2 * * * syncctl all", "syncctl all", "crontab -e"),
        ScheduledImport("a timer", "npm run import:walkin", "import:walkin", "y", by_systemd=True),
    )
    found = [
        check
        for check in check_schedule(state(imports=imports), CRON, (), enabled=True, runs_by_itself=None)
        if check.name == "Scheduled import"
    ]
    assert [(check.result, check.message) for check in found] == [
        (BAD, "clerk's crontab runs `syncctl all`: 0 2 * * * syncctl all"),
        (BAD, "a timer runs `import:walkin`: npm run import:walkin"),
    ]
    assert "by hand only" in found[0].hint
    assert "`crontab -e`; `syncctl cron install` lets cron run `syncctl api`" in found[0].hint
    assert "`y`; `syncctl cron show --systemd` prints the units that run `syncctl api`" in found[1].hint


@pytest.mark.parametrize(
    ("lock", "mark"),
    [
        (LockState(held=False), GOOD),
        (LockState(held=True), GOOD),
        (LockState(held=True, pid=12, since=NOW - timedelta(minutes=4)), GOOD),
        (LockState(held=True, pid=12, since=NOW - timedelta(minutes=6)), WARNING),
        (LockState(held=False, problem="it can't be read"), BAD),
    ],
)
def test_locks(lock: LockState, mark: CheckResult) -> None:
    check = check_lock(lock, NOW, timedelta(minutes=4))
    assert check.result is mark
    assert mark is GOOD or check.hint


@pytest.mark.parametrize(
    ("seconds", "mark", "said"),
    [
        (60, GOOD, "agrees"),
        (-60, GOOD, "agrees"),
        (61, WARNING, "61 s ahead of"),
        (-90, WARNING, "90 s behind"),
    ],
)
def test_clocks(seconds: int, mark: CheckResult, said: str) -> None:
    (check,) = check_clock(ApiClock("rental.example", timedelta(seconds=seconds)))
    assert check.result is mark
    assert said in check.message
    assert not list(check_clock(None))


STORES = [{"locCode": 900, "locName": "x"}, {"locCode": "7", "locName": "Edapally", "status": 1}]
ROW = {
    "customerName": "A",
    "phoneNo": "9000000011",
    "bookingNo": "1",
    "bookingDate": "2026-11-23T10:00:00",
    "returnDate": None,
}


class FakeApi:
    """An API that answers each call so: with rows, or an error."""

    def __init__(self, **answers: list[Any] | ApiError) -> None:
        self.answers: dict[str, Any] = {"stores": STORES, "booking": [ROW], "return": [ROW]} | answers
        self.asked: list[ReportRequest] = []

    def store_list(self, deadline: float) -> list[Any]:
        answer = self.answers["stores"]
        if isinstance(answer, ApiError):
            raise answer
        return list(answer)

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        for request in reversed(requests):
            self.asked.append(request)
            answer = self.answers[request.report]
            failed = isinstance(answer, ApiError)
            yield Answer(request, None if failed else answer, answer if failed else None)

    def close(self) -> None:
        pass


def trial(url: str = "https://rental.example/x", *, has_key: bool = True) -> ApiProbe:
    address = ApiAddress(url, "API_TOKEN", has_key)
    steps = (StepName.STORES, StepName.BOOKING, StepName.RETURN)
    return ApiProbe(dict.fromkeys(steps, address), load_locations(), 5.0, monotonic=lambda: 100.0)


def test_an_api_that_answers() -> None:
    api = FakeApi()
    checks = list(check_api(api, trial()))
    assert [check.message for check in checks] == [
        "rental.example answered and accepted API_TOKEN; 2 stores listed",
        "rental.example answered and accepted API_TOKEN; location 7 had 1 row in the last month",
        "rental.example answered and accepted API_TOKEN; location 7 had 1 row in the last month",
    ]
    assert all(check.result is GOOD for check in checks)
    assert {request.report for request in api.asked} == {StepName.BOOKING, StepName.RETURN}
    for request in api.asked:
        assert (request.location, request.deadline) == ("7", 105.0)
        assert request.window == Window(months=1)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"stores": []}, (WARNING, GOOD, GOOD)),
        ({"stores": ["x", {}]}, (WARNING, GOOD, GOOD)),
        ({"stores": RetryableApiError("rental.example answered 503")}, (BAD, GOOD, GOOD)),
        ({"booking": KeyRefusedError("refused the key (401)", hint="check API_TOKEN")}, (GOOD, BAD, GOOD)),
        (
            {"return": FinalApiError("rental.example answered 404", hint="check API_BASE_URL")},
            (GOOD, GOOD, BAD),
        ),
        ({"booking": [], "return": []}, (GOOD, GOOD, GOOD)),
        ({"booking": [{"customerName": ""}, "x"]}, (GOOD, WARNING, GOOD)),
        ({"booking": [{"customerName": ""}, ROW]}, (GOOD, GOOD, GOOD)),
        ({"booking": [{**ROW, "bookingDate": None}, ROW]}, (GOOD, GOOD, GOOD)),
        ({"booking": [{**ROW, "bookingDate": None}]}, (GOOD, WARNING, GOOD)),
    ],
)
def test_an_api_in_trouble(answers: dict[str, Any], expected: tuple[CheckResult, ...]) -> None:
    found = marks(check_api(FakeApi(**answers), trial()))
    assert tuple(found.values()) == expected
    assert list(found) == ["API: stores", "API: bookings", "API: returns"]


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (
            KeyRefusedError("it failed", hint="check BOOKING_API_KEY", setting="BOOKING_API_KEY"),
            "Check BOOKING_API_KEY: ask the API's provider for a valid key, and put it into .env.local.",
        ),
        (
            FinalApiError("it failed", hint="check API_BASE_URL", setting="API_BASE_URL"),
            "Check API_BASE_URL; `syncctl config` shows what is in force.",
        ),
        (
            RetryableApiError("it failed", hint="check HTTP_PROXY and HTTPS_PROXY"),
            "Check HTTP_PROXY and HTTPS_PROXY.",
        ),
    ],
)
def test_the_cure_is_what_the_error_says_to_do(error: ApiError, cure: str) -> None:
    check = list(check_api(FakeApi(booking=error), trial()))[1]
    assert (check.message, check.hint) == ("it failed", cure)


def test_what_the_api_itself_says_is_no_cure() -> None:
    error = RetryableApiError("the API says that the call failed: set XACT_ABORT on")
    check = list(check_api(FakeApi(booking=error), trial()))[1]
    assert check.message == "the API says that the call failed: set XACT_ABORT on"
    assert check.hint.startswith("It may be temporary")


@pytest.mark.parametrize(
    ("url", "has_key", "warned"),
    [
        ("http://rental.example/x", True, True),
        ("http://rental.example/x", False, False),
        ("http://127.0.0.1:80/x", True, False),
        ("https://rental.example/x", True, False),
    ],
)
def test_a_key_that_goes_unencrypted(url: str, has_key: bool, warned: bool) -> None:
    assert ("API key" in marks(check_api(FakeApi(), trial(url, has_key=has_key)))) is warned


@contextmanager
def opened(url: str, *, for_reading_only: bool = False) -> Iterator[Database]:
    database = open_storage(url, for_reading_only=for_reading_only)
    try:
        database.prepare()
        yield database
    finally:
        database.close()


@contextmanager
def lost() -> Iterator[Database]:
    raise StorageUnavailableError("MongoDB at h can't be reached:\nis it running?")
    yield  # pragma: no cover - it is a generator all the same


@contextmanager
def refusing() -> Iterator[Database]:
    raise StorageError("not authorized on leads")
    yield  # pragma: no cover - it is a generator all the same


def test_a_database_that_can_be_read_and_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with opened(url):
        pass
    found = marks(check_database(lambda: opened(url, for_reading_only=True), lambda: opened(url), HINTS))
    assert found == {"Database": GOOD, "Database rights": GOOD}


def test_a_database_that_can_not_be_reached_or_written(tmp_path: Path) -> None:
    (check,) = check_database(lost, lost, HINTS)
    assert check.result is BAD
    assert check.message == "MongoDB at h can't be reached: is it running?"
    assert check.hint == HINTS.unusable
    url = f"sqlite:///{tmp_path}/x.db"
    good, rights = check_database(lambda: opened(url), refusing, HINTS)
    assert (good.result, rights.result, rights.hint) == (GOOD, BAD, HINTS.not_writable)
