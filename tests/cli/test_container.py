"""What the Containerfile relies on: a read-only root file system, and PID 1, which signals only reach if it
asks for them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.support.program import AFRESH, Program

UNSHARE = shutil.which("unshare")


def _can_unshare() -> bool:
    if UNSHARE is None:
        return False
    alone = [UNSHARE, "--mount", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(alone, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _can_unshare(), reason="needs root and Linux namespaces (unshare)"),
]


def start(program: Program, *arguments: str) -> "subprocess.Popen[str]":
    """The program as PID 1 of a world where only its own folder can be written."""
    folder = str(program.folder)
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro / && cd "$1" && shift && exec "$@"'
    return subprocess.Popen(
        [
            *(str(UNSHARE), "--mount", "--pid", "--fork", "--mount-proc"),
            *("sh", "-c", script, "sh", folder, *AFRESH, *arguments),
        ],
        env=program.environment | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run(program: Program) -> None:
    with start(program, "api") as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output == ""
    assert "Total errors: 0" in errors
    assert (program.folder / "data" / "syncctl.db").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_stops_when_it_is_asked_to(program: Program, sandbox: Sandbox, sent: int, status: int) -> None:
    sandbox.set_faults(Fault("slow", api="booking"))
    with start(program, "api") as process:
        while not any(request.api == "booking" for request in sandbox.requests):
            time.sleep(0.02)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        os.kill(int(children), sent)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == status, errors
