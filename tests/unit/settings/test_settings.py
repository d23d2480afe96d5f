"""The settings in force: defaults, which one wins, and what is said when one is wrong."""

import dataclasses
import logging
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError
from syncctl.ports.machine import SettingFact
from syncctl.safe_output.redact import Redactor
from syncctl.settings.settings import (
    ApiEndpoint,
    Secret,
    Settings,
    inspect_settings,
    load_settings,
)
from syncctl.settings.specs import SPECS

NAMES = [name for spec in SPECS for name in spec.names]
API = "https://rentalapi.rootments.live"


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    """A working folder with a settings file of its own, so that none above it counts."""
    (tmp_path / ".env").touch()
    return tmp_path


def load(cwd: Path, **environ: str) -> Settings:
    return load_settings(environ=environ, cwd=cwd)


def inspect(cwd: Path, name: str, **environ: str) -> SettingFact:
    (found,) = [item for item in inspect_settings(environ=environ, cwd=cwd) if item.name == name]
    return found


def test_defaults(cwd: Path) -> None:
    def api(path: str, key_name: str, path_setting: str) -> ApiEndpoint:
        return ApiEndpoint(API + path, None, f"{key_name} or API_TOKEN", "API_BASE_URL", path_setting)

    assert load(cwd) == Settings(
        folder=cwd,
        database_url=f"sqlite:///{cwd}/data/syncctl.db",
        api_sync_enabled=True,
        api_sync_time="*/5 * * * *",
        api_sync_timezone=ZoneInfo("UTC"),
        endpoints={
            StepName.STORES: api("/api/Location/LocationList", "STORE_API_KEY", "STORE_LIST_API_URL"),
            StepName.BOOKING: api("/api/Reports/GetBookingReport", "BOOKING_API_KEY", "BOOKING_API_ENDPOINT"),
            StepName.RETURN: api("/api/Reports/GetReturnReport", "RETURN_API_KEY", "RETURN_API_ENDPOINT"),
        },
        api_concurrency=5,
        api_call_delay_s=0.5,
        api_timeout_s=30,
        api_max_tries=6,
        api_run_deadline_s=240,
        api_max_rows=100_000,
        api_min_backoff_s=0.5,
        first_months=12,
        incremental_days=7,
        audit_locations=2,
        business_timezone=ZoneInfo("Asia/Kolkata"),
        data_dir=cwd / "data",
        import_dir=cwd / "data/imports",
        lock_file=cwd / "data/syncctl.lock",
        log_file=None,
        log_format="text",
        log_level="info",
        mapping=None,
        heartbeat_url=None,
        metrics_file=None,
        secrets=(),
    )


def test_the_committed_settings_file_says_what_the_defaults_are() -> None:
    folder = Path(__file__).parents[3]
    committed = load_settings(folder / ".env", environ=dict.fromkeys(NAMES, ""))
    assert dataclasses.replace(committed, secrets=()) == load_settings(environ={}, cwd=folder)
    text = (folder / ".env").read_text()
    assert [spec.name for spec in SPECS if f"{spec.name}=" not in text] == []


def test_every_setting_can_be_set(cwd: Path) -> None:
    loaded = load(
        cwd,
        DATABASE_URL="mongodb+srv://app:p%40ss@cluster.example/leads?retryWrites=true",
        API_SYNC_ENABLED="No",
        API_SYNC_TIME="0 6 * * 1-5",
        API_SYNC_TIMEZONE="Asia/Kolkata",
        STORE_LIST_API_URL="http://127.0.0.1:8000/stores",
        BOOKING_API_BASE_URL="http://127.0.0.1:8001/api/",
        BOOKING_API_ENDPOINT="bookings?v=2",
        RETURN_API_BASE_URL="http://[::1]:8002",
        RETURN_API_ENDPOINT="/returns",
        API_TOKEN="one-for-all",
        BOOKING_API_KEY="bookings-own",
        API_CONCURRENCY="32",
        API_CALL_DELAY_MS="0",
        API_TIMEOUT_S="1.5",
        API_MAX_TRIES="1",
        API_RUN_DEADLINE_S="10",
        API_MAX_ROWS="1000000",
        API_MIN_BACKOFF_S="0",
        API_SYNC_FIRST_MONTHS="1",
        API_SYNC_INCREMENTAL_DAYS="0",
        API_BUSINESS_TIMEZONE="UTC",
        DATA_DIR="/var/lib/syncctl",
        IMPORT_DIR="in",
        SYNC_LOCK_FILE="/run/lock/syncctl",
        SYNC_LOG_FILE="log/sync.log",
        SYNC_LOG_FORMAT="JSON",
        HEARTBEAT_URL="https://hc.example/ping/0a1b2c3d4e5f6a7b8c9d",
    )
    assert loaded == Settings(
        folder=cwd,
        database_url="mongodb+srv://app:p%40ss@cluster.example/leads?retryWrites=true",
        api_sync_enabled=False,
        api_sync_time="0 6 * * 1-5",
        api_sync_timezone=ZoneInfo("Asia/Kolkata"),
        endpoints={
            StepName.STORES: ApiEndpoint(
                "http://127.0.0.1:8000/stores",
                Secret("one-for-all"),
                "API_TOKEN",
                host_setting="STORE_LIST_API_URL",
                path_setting="STORE_LIST_API_URL",
            ),
            StepName.BOOKING: ApiEndpoint(
                "http://127.0.0.1:8001/api/bookings?v=2",
                Secret("bookings-own"),
                "BOOKING_API_KEY",
                host_setting="BOOKING_API_BASE_URL",
                path_setting="BOOKING_API_ENDPOINT",
            ),
            StepName.RETURN: ApiEndpoint(
                "http://[::1]:8002/returns",
                Secret("one-for-all"),
                "API_TOKEN",
                host_setting="RETURN_API_BASE_URL",
                path_setting="RETURN_API_ENDPOINT",
            ),
        },
        api_concurrency=32,
        api_call_delay_s=0,
        api_timeout_s=1.5,
        api_max_tries=1,
        api_run_deadline_s=10,
        api_max_rows=1_000_000,
        api_min_backoff_s=0,
        first_months=1,
        incremental_days=0,
        audit_locations=2,
        business_timezone=ZoneInfo("UTC"),
        data_dir=Path("/var/lib/syncctl"),
        import_dir=cwd / "in",
        lock_file=Path("/run/lock/syncctl"),
        log_file=cwd / "log/sync.log",
        log_format="json",
        log_level="info",
        mapping=None,
        heartbeat_url="https://hc.example/ping/0a1b2c3d4e5f6a7b8c9d",
        metrics_file=None,
        secrets=(
            "one-for-all",
            "bookings-own",
            "p%40ss",
            "p@ss",
            "/ping/0a1b2c3d4e5f6a7b8c9d",
            "0a1b2c3d4e5f6a7b8c9d",
        ),
    )


def test_what_is_kept_on_disk_follows_data_dir(cwd: Path) -> None:
    loaded = load(cwd, DATA_DIR="state")
    assert loaded.database_url == f"sqlite:///{cwd}/state/syncctl.db"
    assert (loaded.import_dir, loaded.lock_file) == (cwd / "state/imports", cwd / "state/syncctl.lock")
    loaded = load(cwd, DATA_DIR="state", DATABASE_URL="sqlite:///own.db", SYNC_LOCK_FILE="own.lock")
    assert loaded.database_url == f"sqlite:///{cwd}/own.db"
    assert loaded.lock_file == cwd / "own.lock"


def test_the_old_name_in_the_environment_beats_the_new_one_in_a_file(cwd: Path) -> None:
    (cwd / ".env").write_text("DATABASE_URL=mongodb://file/leads\n")
    (cwd / ".env.local").write_text("MONGO_URI=mongodb://local/leads\nDATABASE_URL=\n")
    assert load(cwd).database_url == "mongodb://local/leads"
    assert load(cwd, MONGO_URI="mongodb://environ/leads").database_url == "mongodb://environ/leads"
    both = {"MONGO_URI": "mongodb://old/leads", "DATABASE_URL": "mongodb://new/leads"}
    assert load(cwd, **both).database_url == "mongodb://new/leads"
    assert inspect(cwd, "DATABASE_URL") == SettingFact(
        "DATABASE_URL", "mongodb://local/leads", str(cwd / ".env.local"), "MONGO_URI", None
    )


def test_keys_from_files(cwd: Path) -> None:
    (cwd / "key").write_text("\ufeff from-file \n")
    return_api = load(cwd, API_TOKEN_FILE="key").endpoints[StepName.RETURN]
    assert (return_api.key, return_api.key_setting) == (Secret("from-file"), "API_TOKEN_FILE")
    (cwd / ".env").write_text(
        "BOOKING_API_KEY=in-env-file\nSTORE_API_KEY=store\nSTORE_API_KEY_FILE=nowhere\n"
    )
    loaded = load(cwd, BOOKING_API_KEY_FILE=str(cwd / "key"))
    assert (loaded.endpoints[StepName.BOOKING].key, loaded.endpoints[StepName.STORES].key) == (
        Secret("from-file"),
        Secret("store"),
    )
    assert loaded.endpoints[StepName.BOOKING].key_setting == "BOOKING_API_KEY_FILE"
    assert loaded.secrets == ("store", "from-file")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file or directory"),
        (b" \n", "is empty"),
        (b"x" * 100_000, "is too long to be a key"),
        (b"two\nlines", "the key contains characters that can't be sent"),
    ],
)
def test_key_files_that_hold_no_key(cwd: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        (cwd / "key").write_bytes(content)
    with pytest.raises(SettingsError, match=problem) as caught:
        load(cwd, RETURN_API_KEY_FILE=str(cwd / "key"))
    assert str(caught.value).startswith("RETURN_API_KEY_FILE (from the environment) is wrong: the key")
    if "characters" not in problem:
        assert str(cwd / "key") in str(caught.value)


def test_a_key_that_was_put_where_its_file_belongs_is_not_shown(cwd: Path) -> None:
    for key in ("s3cret", "s3/cret", "s3cret/", "s3cret/.", "s3cret\n", "s3\ncret"):
        with pytest.raises(SettingsError, match=r"the key file can't be read|a path is expected") as caught:
            load(cwd, API_TOKEN_FILE=key)
        assert "cret" not in str(caught.value)


def test_the_first_wrong_setting_is_named_with_its_origin(cwd: Path) -> None:
    (cwd / ".env").write_text("API_MAX_TRIES=21\nAPI_CONCURRENCY=99\n")
    with pytest.raises(SettingsError) as caught:
        load(cwd)
    assert str(caught.value) == (
        f'API_CONCURRENCY (from {cwd}/.env) is wrong: "99" is not a whole number from 1 to 32. '
        "And 1 more: see `syncctl config`."
    )
    with pytest.raises(SettingsError) as caught:
        load(cwd, API_CONCURRENCY="1", API_MAX_TRIES="many")
    assert str(caught.value) == (
        'API_MAX_TRIES (from the environment) is wrong: "many" is not a whole number from 1 to 20.'
    )


def test_inspecting_shows_all_settings_right_or_wrong(cwd: Path) -> None:
    environ = {"API_CONCURRENCY": "\x1b[2J", "MONGO_URI": "mongodb://u:s3cret@h", "API_TOKEN": "s3cret"}
    shown = inspect_settings(environ=environ, cwd=cwd)
    assert [item.name for item in shown] == [spec.name for spec in SPECS]
    assert "s3cret" not in str(shown)
    assert inspect(cwd, "API_CONCURRENCY", **environ) == SettingFact(
        "API_CONCURRENCY",
        r"\x1b[2J",
        "environment",
        "API_CONCURRENCY",
        r'"\x1b[2J" is not a whole number from 1 to 32',
    )
    database = inspect(cwd, "DATABASE_URL", **environ)
    assert (database.value, database.set_as) == ("mongodb://***@h", "MONGO_URI")
    assert "add /NAME" in (database.problem or "")
    assert inspect(cwd, "API_TOKEN", **environ).value == "***"
    assert inspect(cwd, "BOOKING_API_KEY", **environ).value == ""
    assert inspect(cwd, "DATA_DIR") == SettingFact("DATA_DIR", str(cwd / "data"), "default", "DATA_DIR", None)
    assert inspect(cwd, "RETURN_API_ENDPOINT").value == f"{API}/api/Reports/GetReturnReport"


def test_a_rentout_api_is_refused_also_where_only_the_whole_address_is_one(cwd: Path) -> None:
    with pytest.raises(SettingsError, match=r"BOOKING_API_ENDPOINT .* a rent-out API is never called"):
        load(cwd, BOOKING_API_ENDPOINT="/api/Reports/GetRent-Out%4Cist")
    with pytest.raises(SettingsError, match=r"together with RETURN_API_BASE_URL, a rent-out API"):
        load(cwd, RETURN_API_BASE_URL="http://host/api/Rent", RETURN_API_ENDPOINT="/Out")
    # An address that is not used does no harm, but what is wrong in it is said.
    with pytest.raises(SettingsError, match=r"^API_BASE_URL"):
        load(cwd, API_BASE_URL="http://host/rentout")


def test_a_wrong_base_address_is_one_problem_not_four(cwd: Path) -> None:
    shown = inspect_settings(environ={"API_BASE_URL": "nowhere"}, cwd=cwd)
    assert [item.name for item in shown if item.problem] == ["API_BASE_URL"]


def test_secrets_do_not_show_by_accident(cwd: Path) -> None:
    loaded = load(
        cwd, DATABASE_URL="mongodb://u:s3cret@h/n", API_TOKEN="t0ken", HEARTBEAT_URL="http://h/p1ng"
    )
    endpoint = loaded.endpoints[StepName.BOOKING]
    for text in (repr(loaded), str(loaded), f"{endpoint.key}", f"{endpoint}"):
        assert "s3cret" not in text
        assert "t0ken" not in text
        assert "p1ng" not in text
    assert endpoint.key is not None
    assert endpoint.key.reveal() == "t0ken"
    assert Redactor(loaded.secrets)("s3cret t0ken http://h/p1ng/start") == "*** *** http://h***/start"


FRAGMENTS = """
    mongodb:// mongodb+srv:// sqlite:/// http:// https:// user:pass@ @ : / // ? # % %25 %zz [::1] [ ] host
    host:99999 ,host /name ~ ~nobody .. rentout 5 0.5 -1 1e9 * */5 L JAN true json UTC Asia/Kolkata ../UTC
    bearer é :memory:
"""
fragments = st.sampled_from([*FRAGMENTS.split(), "\x00", "\n", "\ud800", "\udc80"])
any_text = st.text() | st.lists(fragments, max_size=8).map("".join) | st.lists(fragments).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(environ={"API_TOKEN_FILE": "/name\udc80"})
@given(environ=st.dictionaries(st.sampled_from(NAMES), any_text, max_size=4))
def test_whatever_the_settings_are(cwd: Path, environ: dict[str, str]) -> None:
    shown = inspect_settings(environ=environ, cwd=cwd)
    assert all(item.value.isprintable() and (item.problem or "").isprintable() for item in shown)
    wrong = [item for item in shown if item.problem]
    if not wrong:
        assert isinstance(load_settings(environ=environ, cwd=cwd), Settings)
        return
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, cwd=cwd)
    assert str(caught.value).startswith(
        f"{wrong[0].set_as} (from the environment) is wrong: {wrong[0].problem}."
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        [
            "DATABASE_URL",
            "HEARTBEAT_URL",
            "API_BASE_URL",
            "STORE_LIST_API_URL",
            "BOOKING_API_ENDPOINT",
            "API_TOKEN",
        ]
    ),
    before=any_text,
    after=any_text,
)
def test_no_password_is_shown_whatever_is_wrong_with_its_address(
    cwd: Path, name: str, before: str, after: str
) -> None:
    text = f"{before}user:s3cret@{after}"
    assert "s3cret" not in str(inspect_settings(environ={name: text}, cwd=cwd))


def test_importing_it_is_cheap() -> None:
    code = "import sys, syncctl.settings.settings; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"cronsim", "dotenv", "zoneinfo", "pymongo", "requests", "rich", "typer", logging.__name__}
    assert heavy.isdisjoint(loaded.split())
