"""`python -m syncctl` is `syncctl`."""

from syncctl.cli.main import main

main()
