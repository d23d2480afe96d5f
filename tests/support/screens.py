"""`python -m tests.support.screens`: makes the docs' pictures of what commands print, in docs/images.

Each is what the program prints on a terminal, run on its own made-up data; rich draws it as SVG.
"""

import io
import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images"
COLUMNS = 84
SAMPLE = ROOT / "tests" / "integration" / "samples" / "walkin_sg_calicut.xlsx"


def printed(folder: Path, *arguments: str) -> str:
    """What a command prints on a terminal as its data, colours included. Raises CalledProcessError."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "syncctl", *arguments]
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(follower)
        shown = b""
        while chunk := _read(leader):
            shown += chunk
    os.close(leader)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, shown)
    return shown.decode("utf-8")


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # EIO: the other end is closed (Linux's way to say end of file)
        return b""


def picture(name: str, line: str, text: str) -> str:
    """A terminal with this command line and what it printed, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ syncctl {line}[/bold]", highlight=False)
    for shown in text.splitlines():
        console.print(Text.from_ansi(shown.rstrip("\r")), highlight=False)
    drawn = console.export_svg(title=f"syncctl {line}", unique_id=f"syncctl-{name}")
    # rich names a font to be fetched from elsewhere; a page of ours fetches nothing, any monospace font does.
    return re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)


def _finished_booking(folder: Path) -> str:
    """The number of a booking in the demo's database whose lead is finished."""
    (file,) = folder.rglob("*.db")
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("SELECT document ->> 'booking_number' FROM reports").fetchone()[0])


def main() -> int:
    """Run the commands and write the pictures. Gives the exit status."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="syncctl-screens-") as made:
        folder = Path(made)
        # Without --keep: with it the demo would end with the path of a folder of this machine.
        screens = [("demo", "demo", printed(folder, "demo"))]
        kept = folder / "kept"
        printed(folder, "demo", "--keep", str(kept))
        copy(SAMPLE, kept)
        preview = ("import", "walkin", SAMPLE.name, "--dry-run")
        for name, *arguments in (("status",), ("explain", _finished_booking(kept)), preview):
            screens.append((name, " ".join((name, *arguments)), printed(kept, name, *arguments)))
    for name, line, text in screens:
        (FOLDER / f"{name}.svg").write_text(picture(name, line, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
