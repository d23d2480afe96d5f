"""The program as a whole: start-up, help, version, config, and the files that come with it."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cronsim import CronSim

from syncctl import __version__
from tests.support.program import Ended, Program

ROOT = Path(__file__).parents[2]
HEAVY = ("pymongo", "bson", "requests", "urllib3", "rich", "sqlite3", "json", "tempfile", "zipfile")


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_import_nothing_heavy(argument: str) -> None:
    code = (
        f"import sys; sys.argv = ['syncctl', {argument!r}]\n"
        "from syncctl.cli.app import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"
    assert (__version__ if argument == "--version" else "Usage") in ended.stdout


def test_api_on_sqlite_does_not_import_pymongo(program: Program) -> None:
    code = (
        "import sys; sys.argv = ['syncctl', 'stores', '-q']\n"
        "from syncctl.cli.app import main\n"
        "try: main()\n"
        "finally: print('pymongo' in sys.modules, 'rich' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
    )
    assert ended.stdout.strip() == "False False"


def test_colours_that_are_asked_for_change_nothing_else_in_a_pipe(program: Program) -> None:
    assert program.run("api").status == 0
    phone = "9" * 10
    (program.folder / "walkins.csv").write_text(f"Name,Phone,Date\nAsha,{phone},2026-01-05\n")
    assert program.run("import", "walkin", "walkins.csv", "--store", "Suitor Guy - MG Road").status == 0
    for arguments, style in (("history", "32"), (f"explain {phone}", "32"), ("verify data", "32")):
        plain, coloured = (
            program.run(*arguments.split(), **names).stdout for names in ({}, {"FORCE_COLOR": "1"})
        )
        assert f"\x1b[{style}m" in coloured
        assert without_colours_and_times(coloured) == without_colours_and_times(plain)


def without_colours_and_times(text: str) -> str:
    return re.sub(r"\x1b\[\d+m|\d+\.\d{3}\b", "", text)


def test_it_ends_at_once_whoever_else_wants_to_be_waited_for(program: Program) -> None:
    """The MongoDB driver's threads do, for up to half a second."""
    code = (
        "import atexit, sys; sys.argv = ['syncctl', 'config', '--json']\n"
        "atexit.register(print, 'waited for')\n"
        "from syncctl.cli.main import main\n"
        "main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=program.folder,
        env=program.environment,
    )
    assert json.loads(ended.stdout)


def test_without_a_command_it_shows_what_is_typed_most(program: Program) -> None:
    ended = program.run()
    assert (ended.status, ended.stdout) == (2, "")
    assert "Every day:\n  syncctl status " in ended.stderr


def test_config_tells_value_and_origin_and_masks_secrets(program: Program) -> None:
    ended = program.run(
        "config", "--json", BOOKING_API_KEY="hush-hush", MONGO_URI="mongodb://u:pass-word@h/leads"
    )
    assert ended.status == 0
    settings = {setting["name"]: setting for setting in json.loads(ended.stdout)["settings"]}
    assert settings["API_CALL_DELAY_MS"]["value"] == "0"
    assert settings["API_CALL_DELAY_MS"]["origin"].endswith(".env")
    assert settings["DATABASE_URL"]["origin"] == "environment"
    assert settings["API_TIMEOUT_S"]["origin"] == "default"
    for secret in ("hush-hush", "pass-word"):
        assert secret not in ended.output
    assert "hush" not in program.run_on_terminal("config", BOOKING_API_KEY="hush-hush").stdout


def test_config_works_when_settings_are_wrong(program: Program) -> None:
    ended = program.run("config", API_MAX_TRIES="none", API_TIMEOUT_S="-1")
    assert ended.status == 78
    wrong = [line for line in ended.stdout.splitlines() if "WRONG" in line]
    assert [line.split("=")[0] for line in wrong] == ["API_TIMEOUT_S", "API_MAX_TRIES"]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_config_on_a_terminal_breaks_no_value(program: Program, columns: int) -> None:
    host = "a-database-host-with-a-long-name.example.com"
    shown = program.run_on_terminal(
        "config", columns=columns, NO_COLOR="1", DATABASE_URL=f"mongodb://u:pass-word@{host}/leads"
    ).stdout
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert any(line.endswith(f"mongodb://***@{host}/leads") for line in lines)
    assert lines[0] == "From the environment"
    assert f"From {program.folder / '.env'}" in lines
    assert lines.index("Defaults") < lines.index("  API_CONCURRENCY            5")
    too_long = [line for line in lines if len(line) > columns]
    assert all(line.startswith("    ") or line.startswith("From ") for line in too_long)


def test_config_on_a_terminal_says_what_is_wrong_below_it(program: Program) -> None:
    shown = program.run_on_terminal("config", columns=60, NO_COLOR="1", API_MAX_TRIES="none").stdout
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    at = next(number for number, line in enumerate(lines) if "API_MAX_TRIES" in line)
    assert lines[at].startswith("✗ API_MAX_TRIES ")
    assert "whole number" in lines[at + 1]


LOG_LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO |WARN |ERROR) \S.*"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "status"),
    [
        (("api",), {"API_CONCURRENCY": "many"}, 78),
        (("all",), {"SYNC_LOG_FILE": "/proc/no/such"}, 78),
        (("sync:api",), {"SYNC_LOCK_FILE": "/proc/no/such"}, 78),
        (("api", "--env-file", "no.env"), {}, 78),
        (("api", "--to", "2026-01-01"), {}, 2),
        (("api",), {"API_SYNC_ENABLED": "false"}, 0),
        (("api",), {"DATABASE_URL": "sqlite:////proc/no/such.db"}, 69),
        (("api",), {"DATABASE_URL": "mongodb://h/"}, 78),
        (("import", "walkin", "no-such.csv"), {}, 65),
        (("import:walkin", "."), {"SYNC_LOCK_FILE": "/proc/no/such"}, 78),
    ],
)
def test_all_that_a_run_says_under_cron_has_the_form_of_its_log(
    program: Program, arguments: tuple[str, ...], environment: dict[str, str], status: int
) -> None:
    ended = program.run(*arguments, **environment)
    assert (ended.status, ended.stdout) == (status, "")
    assert ended.stderr
    for line in ended.stderr.splitlines():
        assert re.fullmatch(LOG_LINE, line), line


def test_on_a_terminal_and_where_no_log_is_kept_errors_are_plain(program: Program) -> None:
    assert program.run_on_terminal("api", API_CONCURRENCY="many").stdout.startswith("Error: API_CONCURRENCY")
    assert program.run("config", "--env-file", "no.env").stderr.startswith("Error: ")


def test_the_form_of_the_log_is_the_one_of_the_settings_where_they_are_known(program: Program) -> None:
    ended = program.run("api", SYNC_LOG_FORMAT="json", SYNC_LOG_FILE="/proc/no/such")
    assert json.loads(ended.stderr)["level"] == "error"
    assert "SYNC_LOG_FILE" in json.loads(ended.stderr)["message"]


def test_a_named_settings_file_that_is_not_there_is_status_78(program: Program) -> None:
    for arguments in (("--env-file", "no.env", "config"), ("config", "--env-file", "no.env")):
        ended = program.run(*arguments)
        assert ended.status == 78
        assert "no.env" in ended.stderr


@pytest.mark.slow
def test_the_demo_keeps_its_promises(tmp_path: Path) -> None:
    program = Program(tmp_path)
    ended = program.run("demo", "--keep", "kept")
    assert ended.status == 0
    lines = ended.stdout.splitlines()
    facts = lines[:13]
    assert all(line.startswith("ok\t") for line in facts)
    assert lines[13] == "$ syncctl status"
    assert lines[14].startswith("health\tOK\t")
    assert re.search(r"\n\$ syncctl explain \d+ .*\n(.*\n)+.*\tnow\tfinished, in reports\n", ended.stdout)
    steps = lines.index("With your own data:")
    assert [line[:5] for line in lines[steps + 1 : steps + 4]] == ["  1. ", "  2. ", "  3. "]
    assert all(len(line) <= 80 for line in lines[steps : steps + 4])
    (measured,) = [line for line in facts if "as measured" in line]
    assert re.search(r"\tbooking (by dates|everything .*); return (by dates|everything .*)$", measured)
    assert (tmp_path / "kept" / "syncctl.db").exists()
    again = program.run("demo", "--keep", "kept")
    assert again.status == 2
    assert "kept" in again.stderr


def test_a_sandbox_on_a_taken_port_says_so(program: Program) -> None:
    port = program.folder.joinpath(".env").read_text(encoding="utf-8").split("127.0.0.1:")[1].split()[0]
    ended = program.run("sandbox", "--port", port)
    assert ended.status == 2
    assert port in ended.stderr
    wrong = program.run("sandbox", "--fault", "no-such")
    assert wrong.status == 2
    assert "gzip-bomb" in wrong.stderr


def test_the_committed_env_holds_no_secret_and_is_right(tmp_path: Path) -> None:
    program = Program(tmp_path)
    config = json.loads(program.run("config", "--json", "--env-file", str(ROOT / ".env")).stdout)
    settings = config["settings"]
    assert all(setting["problem"] is None for setting in settings)
    for setting in settings:
        if setting["name"].endswith(("_KEY", "_TOKEN")) or setting["name"] == "HEARTBEAT_URL":
            assert setting["value"] == ""


def test_the_crontab_example_is_one_that_cron_takes() -> None:
    text = (ROOT / "crontab.example").read_text(encoding="utf-8")
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == 3
    for line in lines:
        assert "%" not in line
        schedule, command = " ".join(line.split()[:5]), line.split()[5:]
        CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC))
        assert command[0].startswith("/")
        assert command[1] in ("api", "verify")
        assert command[-3:] == [">>", "/var/log/syncctl/cron.log", "2>&1"]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["--version", "--help", "config", "config --json"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_a_full_disk_takes_not_is_one_line(
    program: Program, arguments: str, unbuffered: str
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "syncctl", *arguments.split()],
            cwd=program.folder,
            env=program.environment | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == "Error: The output could not be written: No space left on device.\n"


def test_a_command_that_failed_keeps_its_status_when_the_output_is_lost_too(program: Program) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "syncctl", "config"],
            cwd=program.folder,
            env=program.environment | {"API_MAX_TRIES": "none"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 78
    assert ended.stderr == "Error: The output could not be written: No space left on device.\n"


DEFECT = """
import sys
from syncctl.wiring import checks
from syncctl.cli.app import main
def fail(settings, env_file):
    key = "s3cret-key-of-ours"
    raise ValueError(f"{key} at mongodb://u:pass-word@h/x of 9048780011 \\x1b[2J\\u202e")
checks.status = fail
sys.argv = ["syncctl", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.attack("secrets")
@pytest.mark.parametrize("verbose", [True, False])
def test_the_traceback_of_a_defect_says_no_secret(program: Program, verbose: bool) -> None:
    ended = run_code(program, DEFECT, "status", *(["-v"] if verbose else []), API_TOKEN="s3cret-key-of-ours")
    assert ended.status == 1
    assert ("Traceback" in ended.stderr) is verbose
    assert "ValueError" in ended.stderr
    assert "90xxxxxx11" in ended.stderr
    for secret in ("s3cret-key-of-ours", "pass-word", "9048780011", "\x1b", "\u202e"):
        assert secret not in ended.output


BEYOND = """
import sys, threading, warnings
from syncctl.cli.logs import uncaught
uncaught.install()
uncaught.remember(["s3cret-key"])
class Ending:
    def __del__(self):
        raise ValueError("s3cret-key of 9048780011")
def fail():
    raise ValueError("s3cret-key of 9048780011 \\x1b[2J")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("s3cret-key of 9048780011")
Ending()
fail()
"""


@pytest.mark.attack("secrets")
def test_what_no_command_catches_says_none_either(program: Program) -> None:
    ended = run_code(program, BEYOND)
    # From 3.13 on tracebacks show the lines of code that was given as text.
    assert len(re.findall(r'(?<!")\*\*\* of 90xxxxxx11', ended.stderr)) == 4
    assert ended.stderr.count("Traceback") == 3
    assert not {"s3cret-key", "9048780011", "\x1b"} & set(re.split(r"[ \n\[]", ended.stderr))


def run_code(program: Program, code: str, *arguments: str, **environment: str) -> Ended:
    """A program of a few lines, in the folder of the other one."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=program.folder,
        env=program.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
