"""`python -m syncctl` is `syncctl`."""

from syncctl.cli.entry import main

main()
