"""The entry point. Outside of a command, Ctrl-C ends the program quietly at any moment."""

import os
import signal
import sys
from typing import NoReturn

from syncctl import __version__
from syncctl.cli.terminal.streams import flushed, prepare_streams, unwritten


def main() -> None:
    """Run `syncctl`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:] == ["--version"]:  # needs no further imports
        prepare_streams()
        try:
            sys.stdout.write(f"syncctl {__version__}\n")
        except OSError as error:
            sys.exit(unwritten(error))
        sys.exit(flushed(0))
    if "_SYNCCTL_COMPLETE" in os.environ:
        from syncctl.cli.help.completion import main as complete

        complete()
    from syncctl.cli.app import main as run

    try:
        run()
    except SystemExit as end:
        _leave(end.code)


def _leave(status: int | str | None) -> NoReturn:
    """End the process here and now. By this time everything is written, closed and let go of; what Python
    does on its own way out is to wait for the MongoDB driver's threads, which sleep half a second at a time
    (pymongo.periodic_executor), and to take apart what the system takes back as a whole: measured in
    docs/decisions/0008-stopping.md."""
    if isinstance(status, str):
        sys.exit(status)
    sys.stderr.flush()
    os._exit(status or 0)
