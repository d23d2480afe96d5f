"""Runs the program as a user who is subject to file permissions, unlike root."""

import subprocess
import sys
from pathlib import Path

from tests.support.program import Program

# Drops CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH for programs started by root (PR_CAPBSET_DROP,
# capabilities(7)). For another user that fails, but is not needed.
WITHOUT_CAPABILITIES = """
import ctypes, os, sys
for right in (1, 2):
    ctypes.CDLL(None).prctl(24, right)
os.execv(sys.argv[1], sys.argv[1:])
"""


class UnprivilegedProgram(Program):
    """The program run without root's power to bypass file permissions."""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-S", "-c", WITHOUT_CAPABILITIES, *super().command]

    def is_unprivileged(self) -> bool:
        """Whether this process can drop that capability."""
        unreadable: Path = self.folder / "unreadable"
        unreadable.touch(mode=0)
        launcher = [sys.executable, "-S", "-c", WITHOUT_CAPABILITIES]
        tried = subprocess.run(
            [*launcher, sys.executable, "-S", "-c", "open(__import__('sys').argv[1])", str(unreadable)],
            capture_output=True,
            check=False,
        )
        return b"PermissionError" in tried.stderr
