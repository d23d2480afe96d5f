"""The line under Debian's cron itself: it runs, and a second run that overlaps ends with 75."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncctl.run_lock import lock_state
from syncctl.sandbox import Sandbox
from tests.support.program import Program

CRON = shutil.which("cron", path="/usr/sbin:/usr/bin")
LIMIT_S = 200.0

# A world of its own: mounts that nobody else sees, processes that end with the first one.
PRIVATE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
SCRIPT = """
set -e
mount -t tmpfs none /var/spool/cron
mkdir /var/spool/cron/crontabs
chown root:crontab /var/spool/cron/crontabs
chmod 1730 /var/spool/cron/crontabs
mount -t tmpfs none /run
"$1" -m syncctl cron install
exec "$2" -f
"""


@contextmanager
def cron_with_the_line(program: Program) -> Iterator[None]:
    assert CRON is not None
    with subprocess.Popen(
        [*PRIVATE, "/bin/sh", "-c", SCRIPT, "sh", sys.executable, CRON],
        cwd=program.folder,
        env=program.environment | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.kill()


def wait_until(seen: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + LIMIT_S
    while not seen():
        assert time.monotonic() < give_up_at, what
        time.sleep(0.2)


def can_be_had() -> str:
    """Why it can't be tried here, or ""."""
    if CRON is None:
        return "Debian's cron is not installed"
    if os.geteuid() != 0:
        return "only root can run a cron daemon of its own"
    if subprocess.run([*PRIVATE, "true"], capture_output=True, check=False).returncode:
        return "no private mounts are to be had here"
    return ""


@pytest.mark.slow
def test_cron_runs_the_line_and_runs_do_not_overlap(tmp_path: Path) -> None:
    if reason := can_be_had():
        pytest.skip(reason)
    folder = tmp_path / "it's here"
    folder.mkdir()
    # One lane and two seconds a call: the first run is still at it when cron starts the second one.
    with Sandbox(locations=3, bookings=5, latency_s=2.0) as sandbox:
        program = Program(
            folder, API_BASE_URL=sandbox.base_url, API_SYNC_TIME='"* * * * *"', API_CONCURRENCY=1
        )
        lock, output = folder / "data" / "syncctl.lock", folder / "data" / "cron.log"
        with cron_with_the_line(program):
            wait_until(lambda: lock_state(lock).held, "cron did not run the line")
            by_hand = program.run("api")
            assert by_hand.status == 75
            assert "Another syncctl run" in by_hand.stderr
            wait_until(
                lambda: "Another syncctl run" in output.read_text(encoding="utf-8"),
                "cron's second run did not overlap the first one",
            )
            wait_until(
                lambda: "Next sync" in output.read_text(encoding="utf-8"), "the first run did not end well"
            )
