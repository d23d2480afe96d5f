"""What a monitor receives from real runs, and that it can't disturb them."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from syncctl.ports.admin import Database
from syncctl.run_lock import RunLock
from syncctl.sandbox import Fault, Sandbox
from syncctl.storage.registry import open_storage
from syncctl.wiring import adapters
from tests.chaos.in_process import run, working_in
from tests.support.program import Ended, Program
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply

SECRET = "0f0e0d0c-0000-4000-8000-000000000000"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO |WARN |ERROR) \S")


@pytest.fixture
def monitor() -> Iterator[ScriptedServer]:
    with ScriptedServer(reply(b"OK")) as server:
        yield server


def address(server: ScriptedServer) -> str:
    return f"{server.url}/ping/{SECRET}?create=1"


def pings(server: ScriptedServer) -> list[str]:
    return [urlsplit(received.path).path.rpartition("/")[2] for received in server.received]


def summary(server: ScriptedServer) -> str:
    return server.received[-1].body.decode()


def assert_hidden(ended: Ended) -> None:
    assert SECRET not in ended.output
    assert "rid=" not in ended.output


def test_a_run_that_is_all_right(program: Program, monitor: ScriptedServer, sandbox: Sandbox) -> None:
    ended = program.run("api", HEARTBEAT_URL=address(monitor))
    assert ended.status == 0
    assert pings(monitor) == ["start", "0"]
    first, last = (parse_qs(urlsplit(received.path).query) for received in monitor.received)
    assert first == last
    assert first["create"] == ["1"]
    *log, waiting = summary(monitor).splitlines()
    assert log == ended.stderr.splitlines()
    rejects = r"\d+ rejects, the oldest \d+ s old \(duplicates were never counted\)"
    assert re.search(f"INFO  Waiting for a person: {rejects}$", waiting)
    assert "Total errors: 0" in ended.stderr
    assert_hidden(ended)


def test_what_it_is_told_and_the_next_start_cost_no_second_look(
    tmp_path: Path, monitor: ScriptedServer, sandbox: Sandbox
) -> None:
    opened: list[str] = []

    def open_counted(url: str, *, for_reading_only: bool) -> Database:
        opened.append(url)
        return open_storage(url, for_reading_only=for_reading_only)

    settings = {"API_BASE_URL": sandbox.base_url, "HEARTBEAT_URL": address(monitor)}
    with working_in(tmp_path, API_RUN_DEADLINE_S=60, METRICS_FILE="metrics.prom", **settings) as patch:
        patch.setattr(adapters, "open_storage", open_counted)
        ended = run("api")
    assert "Next sync: none scheduled" in ended.stderr
    assert "Waiting for a person: " in summary(monitor)
    assert (tmp_path / "metrics.prom").exists()
    assert len(opened) == 1


def test_the_totals_are_told_to_it_even_if_nothing_is_told_to_cron(
    program: Program, monitor: ScriptedServer
) -> None:
    program.run("api")  # after which the invalid rows of the sandbox are known
    ended = program.run("api", "-q", HEARTBEAT_URL=address(monitor))
    assert (ended.status, ended.output) == (0, "")
    assert "Total new records saved: " in summary(monitor)


def test_on_a_terminal_too(program: Program, monitor: ScriptedServer) -> None:
    ended = program.run_on_terminal("api", HEARTBEAT_URL=address(monitor))
    assert pings(monitor) == ["start", "0"]
    assert "Starting manual API sync" in summary(monitor)
    assert_hidden(ended)


def test_a_failed_step_and_no_secret_in_the_summary(
    program: Program, monitor: ScriptedServer, sandbox: Sandbox
) -> None:
    sandbox.set_faults(Fault("404", api="booking"))
    ended = program.run("api", "--json", API_TOKEN="hush-hush-token", HEARTBEAT_URL=address(monitor))
    assert ended.status == 1
    assert ended.stdout.count("\n") == 1
    assert pings(monitor) == ["start", "1"]
    assert "404" in summary(monitor)
    for hidden in ("hush-hush", SECRET):
        assert hidden not in summary(monitor)


def test_an_unreachable_database(program: Program, monitor: ScriptedServer) -> None:
    ended = program.run("api", DATABASE_URL="sqlite:////proc/no/such.db", HEARTBEAT_URL=address(monitor))
    assert ended.status == 69
    assert pings(monitor) == ["start", "69"]
    assert summary(monitor) == ended.stderr


@pytest.mark.parametrize("setting", ["SYNC_LOCK_FILE", "SYNC_LOG_FILE"])
def test_a_setting_that_is_wrong_on_this_machine(
    program: Program, monitor: ScriptedServer, setting: str
) -> None:
    ended = program.run("api", HEARTBEAT_URL=address(monitor), **{setting: str(program.folder)})
    assert ended.status == 78
    assert pings(monitor) == ["78"]
    assert setting in summary(monitor)
    assert_hidden(ended)


def test_a_file_that_could_not_be_understood(
    program: Program, monitor: ScriptedServer, sandbox: Sandbox
) -> None:
    folder = program.folder / "data" / "imports"
    folder.mkdir(parents=True)
    (folder / "walkin_sg_calicut.xlsx").write_bytes(b"no workbook")
    assert program.run("all", HEARTBEAT_URL=address(monitor)).status == 65
    assert pings(monitor) == ["start", "65"]


def has_open(pid: int, file: Path) -> bool:
    """Whether a process has a file open (proc(5))."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(link) == str(file):
                return True
    return False


def test_of_a_run_that_another_one_keeps_from_beginning_nothing_is_told(
    program: Program, monitor: ScriptedServer
) -> None:
    lock = program.folder / "data" / "syncctl.lock"
    with RunLock(lock).hold(0):
        assert program.run("api", HEARTBEAT_URL=address(monitor)).status == 75
        with program.start("api", "--wait", "60", HEARTBEAT_URL=address(monitor)) as waiting:
            while not has_open(waiting.pid, lock):
                time.sleep(0.01)
            waiting.terminate()
            waiting.communicate(timeout=20)
        assert waiting.returncode == 143
    assert monitor.received == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("api", "--dry-run"),
        ("api", "--location", "7"),
        ("api", "--from", "2026-01-01"),
        ("stores",),
        ("booking",),
        ("api", "--no-such-option"),
    ],
)
def test_what_is_not_the_whole_job_is_not_told(
    program: Program, monitor: ScriptedServer, arguments: tuple[str, ...]
) -> None:
    program.run(*arguments, HEARTBEAT_URL=address(monitor))
    assert monitor.received == []


def test_switched_off_or_with_wrong_settings_nothing_is_told(
    program: Program, monitor: ScriptedServer
) -> None:
    assert program.run("api", API_SYNC_ENABLED="false", HEARTBEAT_URL=address(monitor)).status == 0
    assert program.run("api", API_CONCURRENCY="many", HEARTBEAT_URL=address(monitor)).status == 78
    assert monitor.received == []
    assert program.run("api", "--force", API_SYNC_ENABLED="false", HEARTBEAT_URL=address(monitor)).status == 0
    assert pings(monitor) == ["start", "0"]


def ended_by(process: "subprocess.Popen[str]", sent: signal.Signals, limit_s: float) -> Ended:
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=limit_s)
    assert "Traceback" not in stderr
    return Ended(process.returncode, stdout, stderr)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal(
    program: Program, monitor: ScriptedServer, sandbox: Sandbox, sent: signal.Signals, status: int
) -> None:
    sandbox.set_faults(Fault("slow", api="booking", seconds=30))
    with program.start("api", HEARTBEAT_URL=address(monitor)) as process:
        wait_until(lambda: any(request.api == "booking" for request in sandbox.requests))
        ended = ended_by(process, sent, 20)
    assert ended.status == status
    assert pings(monitor) == ["start", str(status)]
    assert "what was stored is kept" in summary(monitor)


@pytest.mark.slow
def test_a_monitor_that_hangs_does_not_keep_a_stopped_run_alive(program: Program, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("slow", api="booking", seconds=30))
    with (
        ScriptedServer(Reply([], wait_s=60)) as dead,
        program.start("api", HEARTBEAT_URL=address(dead)) as process,
    ):
        wait_until(lambda: any(request.api == "booking" for request in sandbox.requests))
        began = time.monotonic()
        ended = ended_by(process, signal.SIGTERM, 20)
        assert time.monotonic() - began < 9
        assert ended.status == 143
        assert_hidden(ended)


def test_a_signal_while_the_end_is_told_breaks_that_off(program: Program) -> None:
    def script(received: Received) -> Reply:
        return reply() if "/start" in received.path else Reply([], wait_s=60)

    with ScriptedServer(script) as slow, program.start("api", HEARTBEAT_URL=address(slow)) as process:
        wait_until(lambda: pings(slow) == ["start", "0"])
        began = time.monotonic()
        ended = ended_by(process, signal.SIGTERM, 20)
        assert time.monotonic() - began < 3
    assert ended.status == 0
    assert ended.stderr.splitlines()[-1].endswith("Stopped while the heartbeat was sent.")


@pytest.mark.slow
def test_a_monitor_in_trouble_is_two_warnings_and_nothing_else(program: Program) -> None:
    program.run("api")  # after which the invalid rows of the sandbox are known
    log_file = program.folder / "sync.log"
    ended = program.run("api", HEARTBEAT_URL=f"http://127.0.0.1:1/ping/{SECRET}", SYNC_LOG_FILE=str(log_file))
    assert ended.status == 0
    said = ended.stderr.splitlines()
    assert all(LOG_LINE.match(line) for line in said)
    assert [line[21:] for line in said if "WARN" in line] == [
        f"WARN  The heartbeat's /{what} failed (Connection refused): check HEARTBEAT_URL and the network."
        for what in ("start", "0")
    ]
    assert log_file.read_text(encoding="utf-8") == ended.stderr
    assert_hidden(ended)


def test_an_address_in_the_env_file_and_a_command_by_its_old_name(
    tmp_path: Path, sandbox: Sandbox, monitor: ScriptedServer
) -> None:
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, HEARTBEAT_URL=address(monitor))
    ended = program.run("sync:api")
    assert pings(monitor) == ["start", "0"]
    assert_hidden(ended)
    shown = program.run("config").stdout
    assert SECRET not in shown
