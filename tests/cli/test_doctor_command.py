"""`doctor` on installations that are healthy, fresh, wrong and cut off."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.sources import StepName
from syncctl.sandbox import Sandbox
from syncctl.services.checks.app_scheduler import APP_SCHEDULER
from syncctl.storage.registry import open_storage
from tests.support.crontab import FakeCrontab
from tests.support.program import Ended, Program
from tests.support.webapp import open_app


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url)
    program.environment["PATH"] = FakeCrontab(tmp_path / "bin").path
    return program


def results(ended: Ended) -> dict[str, str]:
    document = json.loads(ended.stdout)
    assert document["command"] == "doctor"
    assert document["ok"] is (ended.status == 0)
    for check in document["checks"]:
        assert check["result"] == "ok" or check["cure"], check
    return {check["name"]: check["result"] for check in document["checks"]}


def test_a_fresh_installation(program: Program, sandbox: Sandbox) -> None:
    ended = program.run("doctor", "--json")
    found = results(ended)
    assert ended.status == 0
    assert "failed" not in found.values()
    assert found["Crontab"] == "warning"
    assert not (program.folder / "data").exists()
    assert not any("rentout" in request.path.lower() for request in sandbox.requests)


@pytest.mark.parametrize("name", ["x" * 300, "file/syncctl.db"])
def test_a_database_file_that_can_never_be_made(program: Program, name: str) -> None:
    (program.folder / "file").write_bytes(b"")
    ended = program.run("doctor", "--json", DATABASE_URL=f"sqlite:///{name}")
    assert ended.status == 1
    assert results(ended)["Database"] == "failed"


@pytest.mark.slow
def test_a_healthy_installation(program: Program) -> None:
    program.run("cron", "install")
    program.run("api")
    found = results(program.run("doctor", "--json"))
    for name in (
        "Python",
        "Settings",
        "Database",
        "Database rights",
        "API: stores",
        "API: bookings",
        "API: returns",
        "Clock",
        "Data folder",
        "Lock file",
        "Database file",
        "Disk space",
        "Lock",
        "Crontab",
        "Time zones",
    ):
        assert found[name] == "ok", name


def test_on_mongodb(program: Program, mongo_url: str) -> None:
    found = results(program.run("doctor", "--json", DATABASE_URL=mongo_url))
    assert (found["Database"], found["Database rights"]) == ("ok", "ok")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_the_web_apps_own_scheduler(program: Program, request: pytest.FixtureRequest, kind: str) -> None:
    url = f"sqlite:///{program.folder / 'syncctl.db'}"
    if kind == "mongo":
        url = request.getfixturevalue("mongo_url")
    assert APP_SCHEDULER not in results(program.run("doctor", "--json", DATABASE_URL=url))
    assert program.run("api", DATABASE_URL=url).status == 0
    assert results(program.run("doctor", "--json", DATABASE_URL=url))[APP_SCHEDULER] == "ok"
    with closing(open_app(url)) as app:
        for sync_type in ("booking", "return"):
            app.log_sync(sync_type, datetime.now(UTC))
    ended = program.run("doctor", DATABASE_URL=url)
    assert ended.status == 1
    (wrong,) = [line for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    assert wrong.startswith(f"FAILED\t{APP_SCHEDULER}: ")
    for words in ("2 synclogs entries", "set API_SYNC_ENABLED=false (exactly so, lower case)", ".env.local"):
        assert words in wrong
    assert APP_SCHEDULER in program.run("verify", "sync", DATABASE_URL=url).stdout
    seen = program.run("status", DATABASE_URL=url)
    assert seen.status == 1
    assert seen.stdout.startswith("health\tFAILING\t")
    assert "reason\tThe web app still syncs the API by itself" in seen.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_location_ids(program: Program, request: pytest.FixtureRequest, kind: str) -> None:
    url = f"sqlite:///{program.folder / 'syncctl.db'}"
    if kind == "mongo":
        url = request.getfixturevalue("mongo_url")
    assert "Location ids" not in results(program.run("doctor", "--json", DATABASE_URL=url))
    with Sandbox(locations=22, bookings=1) as other:
        program.run("api", DATABASE_URL=url, API_BASE_URL=other.base_url)
        known = Dialect(StepName.BOOKING, ids=LocationIds.IGNORED, spellings=(("16", "Z- Edapally"),))
        with closing(open_storage(url)) as database:
            database.save_dialect(known)
        ended = program.run("doctor", DATABASE_URL=url, API_BASE_URL=other.base_url)
    assert ended.status == 0
    lines = [line.split("\t", 1)[1] for line in ended.stdout.splitlines() if "ocation ids" in line]
    named, new, old, ignored = lines
    assert named.startswith("Location ids: the API and locations.toml name different stores for 16 (Zorucci")
    assert new.startswith("New location ids: in the store list, but not in locations.toml: 1000 (SG.Place 1)")
    assert old.startswith("Old location ids: in locations.toml, but not in the store list: 1, 3, 5, 6, 9")
    assert ignored.startswith("Location ids: bookings: ignored")


def test_wrong_settings_are_all_named(program: Program) -> None:
    ended = program.run("doctor", API_MAX_TRIES="none", API_TIMEOUT_S="-1")
    assert ended.status == 1
    bad = [line for line in ended.stdout.splitlines() if line.startswith("FAILED\t")]
    assert [line.split("\t")[1].split(":")[0] for line in bad] == ["API_TIMEOUT_S", "API_MAX_TRIES"]
    assert program.run("doctor", "--env-file", "none.env").status == 1


def test_what_is_wrong_with_the_settings_file(program: Program, sandbox: Sandbox) -> None:
    file = program.folder / ".env"
    program.write_env(
        API_BASE_URL=sandbox.base_url,
        API_SYNC_TIMES="x",
        RENTOUT_API_BASE_URL="http://127.0.0.1:9",
        PORT=80,
        JWT_SECRET="not-ours",
        MONGODB_URI="mongodb://127.0.0.1:9/x",
        MONGO_URI="mongodb://u:pass-word@127.0.0.1:9/x?serverSelectionTimeoutMS=100",
    )
    file.chmod(0o644)
    ended = program.run("doctor")
    assert ended.status == 1
    assert "WARNING\tAPI_SYNC_TIMES: " in ended.stdout
    (rent_outs,) = (line for line in ended.stdout.splitlines() if "RENTOUT_API_BASE_URL" in line)
    assert rent_outs.endswith("syncctl never asks for rent-outs: delete this line.")
    assert not {"PORT", "JWT_SECRET", "MONGODB_URI"} & set(re.split(r"\W+", ended.stdout))
    assert f"chmod 600 {file}" in ended.stdout
    assert "pass-word" not in ended.output
    # The database can't be reached; the rest goes on.
    assert "FAILED\tDatabase: " in ended.stdout
    assert "ok\tAPI: bookings: " in ended.stdout


def test_a_key_that_is_refused(tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=3, token="open-sesame") as sandbox:
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url, API_TOKEN="not-that-one")
        ended = program.run("doctor")
        assert ended.status == 1
        assert ended.stdout.count("FAILED\tAPI: ") == 3
        assert "Check API_TOKEN" in ended.stdout
        assert "not-that-one" not in ended.output
        assert results(program.run("doctor", "--json", API_TOKEN="open-sesame"))["API: returns"] == "ok"


def test_a_path_that_the_api_does_not_have(program: Program, sandbox: Sandbox) -> None:
    wrong = {
        "RETURN_API_ENDPOINT": "/api/Reports/GetReturns",
        "BOOKING_API_BASE_URL": f"{sandbox.base_url}/v2",
    }
    ended = program.run("doctor", **wrong)
    assert ended.status == 1
    booking, returns = (line for line in ended.stdout.splitlines() if line.startswith("FAILED\t"))
    assert " answered 404 to /v2/api/Reports/GetBookingReport" in booking
    assert "Check BOOKING_API_ENDPOINT and BOOKING_API_BASE_URL; `syncctl config` shows" in booking
    assert " answered 404 to /api/Reports/GetReturns" in returns
    assert "Check RETURN_API_ENDPOINT and API_BASE_URL; `syncctl config` shows" in returns
    assert "check RETURN_API_ENDPOINT and API_BASE_URL" in program.run("return", **wrong).stderr


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 200])
def test_on_a_terminal(program: Program, columns: int) -> None:
    shown = program.run_on_terminal("doctor", columns=columns)
    assert shown.status == 0
    assert "✓" in shown.stdout
    assert "cron install" in " ".join(shown.stdout.split())
