"""The entry point: Ctrl-C ends the program quietly, whatever Python is doing outside of a command."""

import signal


def main() -> None:
    """Run `syncctl`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from syncctl.cli.app import main as run

    run()
