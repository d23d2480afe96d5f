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
from syncctl.cli.entry import main
main()
"""

STRUCK_AT_EXIT = """
import atexit, signal, sys
atexit.register(signal.raise_signal, int(sys.argv.pop()))
from syncctl.cli.entry import main
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
