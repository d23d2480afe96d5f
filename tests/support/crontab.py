"""A fake crontab(1) that behaves like Debian's, on a file in the test's own folder."""

import sys
from pathlib import Path

SCRIPT = """#!{python} -S
import os, sys
folder = {folder!r}
stored = os.path.join(folder, "stored")
if os.path.exists(os.path.join(folder, "denied")):
    sys.exit("You (clerk) are not allowed to use this program (crontab)\\nSee crontab(1)")
if sys.argv[1:] == ["-l"]:
    if not os.path.exists(stored):
        sys.stderr.write("no crontab for clerk\\n")
        sys.exit(1)
    sys.stdout.buffer.write(open(stored, "rb").read())
elif sys.argv[1:] == ["-"]:
    content = sys.stdin.buffer.read()
    if content and not content.endswith(b"\\n"):
        sys.exit("new crontab file is missing newline before EOF, can't install.")
    if os.path.exists(os.path.join(folder, "garbles")):
        content = content.upper()
    open(stored, "wb").write(content)
else:
    sys.exit("crontab: usage error")
"""


class FakeCrontab:
    """`crontab` in its own folder, to be put first in PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        program = folder / "crontab"
        program.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
        program.chmod(0o755)

    @property
    def path(self) -> str:
        """A PATH that finds it."""
        return f"{self.folder}:/usr/bin:/bin"

    @property
    def content(self) -> bytes:
        stored = self.folder / "stored"
        return stored.read_bytes() if stored.exists() else b""

    @content.setter
    def content(self, content: bytes) -> None:
        (self.folder / "stored").write_bytes(content)

    def deny(self) -> None:
        """Make it refuse, as cron.allow does."""
        (self.folder / "denied").touch()

    def garble(self) -> None:
        """Make it store something other than its input."""
        (self.folder / "garbles").touch()
