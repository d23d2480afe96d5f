"""`python -m tests.support.screens`: makes the README's pictures of `demo` and `status`, in docs/images.

Both are what the program prints on a terminal, run on its own made-up data; rich draws them as SVG.
"""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images"
COLUMNS = 84


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


def picture(name: str, text: str) -> str:
    """A terminal with this command and what it printed, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ syncctl {name}[/bold]", highlight=False)
    for line in text.splitlines():
        console.print(Text.from_ansi(line.rstrip("\r")), highlight=False)
    drawn = console.export_svg(title=f"syncctl {name}", unique_id=f"syncctl-{name}")
    # rich names a font to be fetched from elsewhere; a page of ours fetches nothing, any monospace font does.
    return re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)


def main() -> int:
    """Run the commands and write the pictures. Gives the exit status."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="syncctl-screens-") as made:
        folder = Path(made)
        # Without --keep: with it the demo would end with the path of a folder of this machine.
        screens = {"demo": printed(folder, "demo")}
        printed(folder, "demo", "--keep", str(folder / "kept"))
        screens["status"] = printed(folder / "kept", "status")
    for name, text in screens.items():
        (FOLDER / f"{name}.svg").write_text(picture(name, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
