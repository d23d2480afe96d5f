"""Signals while Python starts and ends: nothing of syncctl is at work, and nobody wants a traceback."""

import json
import signal
import subprocess
import sys

import pytest

STRUCK_WHILE_THE_COMMANDS_ARE_BUILT = """
import signal, sys, typer.main
build = typer.main.get_command
def struck(app):
    signal.raise_signal(int(sys.argv.pop()))
    return build(app)
typer.main.get_command = struck
from syncctl.cli.main import main
main()
"""

STRUCK_AT_EXIT = """
import os, signal, sys
number, end = int(sys.argv.pop()), os._exit
def struck(status):
    signal.raise_signal(number)
    end(status)
os._exit = struck
from syncctl.cli.main import main
main()
"""


@pytest.mark.parametrize("program", [STRUCK_WHILE_THE_COMMANDS_ARE_BUILT, STRUCK_AT_EXIT])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_outside_of_a_command_ends_the_program_quietly(program: str, sent: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program, "config", "--json", str(int(sent))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -sent
    assert ended.stderr == ""


STRUCK_WHILE_THE_SETTINGS_ARE_READ = """
import signal, sys
from syncctl.settings import settings
number = int(sys.argv.pop())
def struck(env_file):
    signal.raise_signal(number)
settings.load_settings = struck
from syncctl.cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [("rejects", "list", "-v"), ("status", "--json"), ("verify", "data")])
def test_a_signal_ends_a_command_that_only_looks(
    arguments: tuple[str, ...], sent: signal.Signals, status: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STRUCK_WHILE_THE_SETTINGS_ARE_READ, *arguments, str(int(sent))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (status, "Stopped.\n")
    if "--json" in arguments:
        error = {"exit_code": status, "message": "Stopped.", "hint": None}
        assert json.loads(ended.stdout) == {"command": "status", "ok": False, "schema": 1, "error": error}
    else:
        assert ended.stdout == ""
