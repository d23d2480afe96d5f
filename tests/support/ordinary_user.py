"""Runs the program as a user that files' rights bind: they don't bind root."""

import subprocess
import sys
from pathlib import Path

from tests.support.program import Program

# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH are taken from what a program that root starts is given
# (PR_CAPBSET_DROP, capabilities(7)). For another user that fails, and has no need to succeed.
BOUND_BY_RIGHTS = """
import ctypes, os, sys
for right in (1, 2):
    ctypes.CDLL(None).prctl(24, right)
os.execv(sys.argv[1], sys.argv[1:])
"""


class BoundByRights(Program):
    """The program of a user who may read and write only what files' rights say."""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-S", "-c", BOUND_BY_RIGHTS, *super().command]

    def is_bound(self) -> bool:
        """Whether the system lets this process give up its rights."""
        unreadable: Path = self.folder / "unreadable"
        unreadable.touch(mode=0)
        launcher = [sys.executable, "-S", "-c", BOUND_BY_RIGHTS]
        tried = subprocess.run(
            [*launcher, sys.executable, "-S", "-c", "open(__import__('sys').argv[1])", str(unreadable)],
            capture_output=True,
            check=False,
        )
        return b"PermissionError" in tried.stderr
