"""The entry point: Ctrl-C ends the program quietly, whatever Python is doing outside of a command."""

import gc
import signal
import sys

from syncctl import __version__
from syncctl.cli.streams import flushed, prepare_streams, unwritten

GARBAGE_THRESHOLD = 100_000
"""New containers between two looks for garbage in cycles: a run makes many rows and next to no cycles, and
looking for them as often as Python does by default takes a sixth of its time."""


def main() -> None:
    """Run `syncctl`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:] == ["--version"]:  # nothing else has to be loaded for it
        prepare_streams()
        try:
            sys.stdout.write(f"syncctl {__version__}\n")
        except OSError as error:
            sys.exit(unwritten(error))
        sys.exit(flushed(0))
    gc.set_threshold(GARBAGE_THRESHOLD, 10, 10)
    from syncctl.cli.app import main as run

    run()
