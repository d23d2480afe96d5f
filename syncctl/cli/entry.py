"""The entry point: Ctrl-C ends the program quietly even while its modules are being loaded."""

import gc
import signal
import sys
from contextlib import suppress

GARBAGE_THRESHOLD = 100_000
"""New containers between two looks for garbage in cycles: a run makes many rows and next to no cycles, and
looking for them as often as Python does by default takes a sixth of its time."""


def main() -> None:
    """Run `syncctl`."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        from syncctl import __version__

        # Nothing else has to be loaded for it, unless to say what is wrong with the output.
        with suppress(OSError):
            sys.stdout.write(f"syncctl {__version__}\n")
            sys.stdout.flush()
            return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(GARBAGE_THRESHOLD, 10, 10)
    from syncctl.cli.app import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
