"""Signals while Python starts and ends: nothing of syncctl is at work, and nobody wants a traceback."""

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


STRUCK_IN_CODE_THAT_MAKES_SOMETHING_ELSE_OF_IT = """
import signal, sys
from syncctl.settings import settings
number = int(sys.argv.pop())
def struck(env_file):
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt:
        raise SystemError("bad argument to internal function") from None
settings.load_settings = struck
from syncctl.cli.main import main
main()
"""


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whatever_a_library_makes_of_a_stop_it_is_one(sent: signal.Signals, status: int) -> None:
    code = STRUCK_IN_CODE_THAT_MAKES_SOMETHING_ELSE_OF_IT
    ended = subprocess.run(
        [sys.executable, "-c", code, "rejects", "list", "-v", str(int(sent))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (status, "Stopped.\n")
