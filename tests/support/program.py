"""Runs the program as cron or a person does: a process of its own, with next to no environment."""

import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the program ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class Program:
    """`syncctl` in a folder of its own, with a `.env` of the test's."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        self.write_env(API_CALL_DELAY_MS=0, API_MIN_BACKOFF_S=0.01, **settings)

    def write_env(self, **settings: object) -> None:
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    @property
    def command(self) -> list[str]:
        """The program, without any arguments."""
        return [sys.executable, "-m", "syncctl"]

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """A run that goes on: the test ends it."""
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *arguments: str, **environment: str) -> Ended:
        """A run as under cron: no terminal anywhere."""
        with self.start(*arguments, **environment) as process:
            try:
                stdout, stderr = process.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert "Traceback" not in stdout + stderr, stdout + stderr
        return Ended(process.returncode, stdout, stderr)

    def run_on_terminal(self, *arguments: str, columns: int = 80, **environment: str) -> Ended:
        """A run on a terminal of its own: what it shows, as one text."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment | {"TERM": "xterm-256color", "COLUMNS": str(columns)} | environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        shown = b""
        try:
            while chunk := _read(leader):
                shown += chunk
            status = process.wait(timeout=LIMIT_S)
        finally:
            process.kill()
            process.wait()
            os.close(leader)
        text = shown.decode("utf-8")
        assert "Traceback" not in text, text
        return Ended(status, text, "")


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # EIO: the other end is closed (Linux's way to say end of file)
        return b""
