"""What is seen of the machine, and of a server's clock."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from syncctl.machine.probes import (
    api_clock,
    current_user,
    disk_space,
    path_facts,
    running_schedulers,
    system_zone,
)

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


def fake_proc(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names, 1):
        process = folder / str(number)
        process.mkdir()
        (process / "comm").write_text(f"{name}\n")
    (folder / "self").mkdir()
    return folder


def test_schedulers_are_found_among_the_processes(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, "systemd", "bash", "cron", "crontab")
    assert running_schedulers(proc) == frozenset({"systemd", "cron"})


def test_a_process_that_ends_meanwhile_is_passed_over(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, "init", "crond")
    (proc / "99").mkdir()
    assert running_schedulers(proc) == frozenset({"crond"})


def test_where_processes_are_hidden_nothing_is_known(tmp_path: Path) -> None:
    assert running_schedulers(tmp_path) is None
    assert running_schedulers(tmp_path / "none") is None


def test_the_machines_zone(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Kolkata")
    if not link.exists():
        pytest.skip("the system has no zone data")
    name, zone = system_zone(link)
    assert name == "Asia/Kolkata"
    assert NOW.astimezone(zone).utcoffset() == timedelta(hours=5, minutes=30)
    copy = tmp_path / "copy"
    copy.write_bytes(link.read_bytes())
    name, zone = system_zone(copy)
    assert name == "the machine's zone"
    assert NOW.astimezone(zone).utcoffset() == timedelta(hours=5, minutes=30)
    assert system_zone(tmp_path / "none") == ("UTC", UTC)
    copy.write_bytes(b"no zone")
    assert system_zone(copy) == ("UTC", UTC)


def test_a_file_and_one_that_is_still_to_be_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    file.chmod(0o640)
    facts = path_facts("Lock", "SYNC_LOCK_FILE", file)
    assert (facts.exists, facts.is_folder, facts.readable, facts.writable) == (True, False, True, True)
    assert (facts.mode, facts.size, facts.owner) == (0o640, 5, current_user().name)
    missing = path_facts("Lock", "SYNC_LOCK_FILE", tmp_path / "a" / "b" / "lock")
    assert (missing.exists, missing.seen, missing.is_folder) == (False, tmp_path, True)
    below_a_file = path_facts("Lock", "SYNC_LOCK_FILE", file / "lock")
    assert not below_a_file.exists
    assert not below_a_file.is_folder


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "none")
    assert path_facts("Log", "SYNC_LOG_FILE", tmp_path / "link").problem == "No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_someone_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert not path_facts("Data", "DATA_DIR", tmp_path).writable
    tmp_path.chmod(0o700)


def test_each_disk_is_measured_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (space,) = disk_space([tmp_path, tmp_path / "a", tmp_path / "none"])
    assert space.path == tmp_path
    assert space.free > 0


@contextmanager
def server(date: str | None) -> Iterator[tuple[str, list[str]]]:
    """One that says so in its Date header, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
            self.send_response_only(404)
            if date is not None:
                self.send_header("Date", date)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as make_listener:
        thread = threading.Thread(target=make_listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{make_listener.server_port}/api/x", asked
        finally:
            make_listener.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        (format_datetime(NOW, usegmt=True), timedelta(0)),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), timedelta(minutes=5)),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), -timedelta(days=1)),
    ],
)
def test_how_far_the_clock_is_ahead_of_the_servers(date: str, ahead: timedelta) -> None:
    with server(date) as (url, asked):
        found = api_clock(url, now=lambda: NOW, monotonic=lambda: 0.0)
    assert found is not None
    assert (found.host, found.ahead) == ("127.0.0.1", ahead)
    assert asked == ["HEAD /api/x None"]


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 99 Nov 2026 16:00:00 GMT"])
def test_a_server_that_tells_no_time(date: str | None) -> None:
    with server(date) as (url, _):
        assert api_clock(url, now=lambda: NOW) is None


def test_a_server_that_is_not_there() -> None:
    with server(None) as (url, _):
        pass
    assert api_clock(url) is None
