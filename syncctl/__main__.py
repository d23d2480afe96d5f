"""`python -m syncctl` is `syncctl`."""

from syncctl.cli.app import main

main()
