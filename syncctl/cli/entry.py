"""The entry point: Ctrl-C ends the program quietly even while its modules are being loaded."""

import signal


def main() -> None:
    """Run `syncctl`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from syncctl.cli.app import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
