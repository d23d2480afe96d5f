"""Runs the program like cron or a person: in its own process, with an almost empty environment."""

import io
import multiprocessing
import os
import pkgutil
import pty
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import syncctl

LIMIT_S = 60.0
AFRESH = [sys.executable, "-m", "syncctl"]
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_")

FORKS = multiprocessing.get_context("forkserver")
"""Most of a short command's time Python loads modules: `run` forks a process that has loaded them."""

_MODULES = [module.name for module in pkgutil.walk_packages(syncctl.__path__, "syncctl.")]
FORKS.set_forkserver_preload(
    [
        __name__,
        *(name for name in _MODULES if not name.endswith("__main__")),
        *("requests", "rich.table", "pymongo", "backoff", "cronsim"),
    ]
)


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a finished process."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class _Started(subprocess.Popen[str]):
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is not None:  # else it would be waited for, however long it takes
            self.kill()
        super().__exit__(kind, error, at)


class Program:
    """`syncctl` in its own folder, with the test's `.env`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        self.write_env(API_CALL_DELAY_MS=0, API_MIN_BACKOFF_S=0.01, **settings)

    def write_env(self, **settings: object) -> None:
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    @property
    def command(self) -> list[str]:
        """The program without arguments."""
        return AFRESH

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start it in the background; the test must end it. A test that fails kills it."""
        return _Started(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run it as under cron, without a terminal."""
        is_ordinary = self.command == AFRESH and not (self.folder / "syncctl").exists()
        names = self.environment | environment
        if is_ordinary and not any(name.startswith(READ_AT_START) for name in names):
            ended = self._run_forked(*arguments, **environment)
        else:
            ended = self._run_afresh(*arguments, **environment)
        assert "Traceback" not in ended.output, ended.output
        return ended

    def _run_afresh(self, *arguments: str, **environment: str) -> Ended:
        with self.start(*arguments, **environment) as process:
            try:
                stdout, stderr = process.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ended(process.returncode, stdout, stderr)

    def _run_forked(self, *arguments: str, **environment: str) -> Ended:
        pipes = [FORKS.Pipe(duplex=False) for _ in ("stdout", "stderr")]
        process = FORKS.Process(
            target=_syncctl,
            args=(arguments, self.folder, self.environment | environment, *(end for _, end in pipes)),
        )
        process.start()
        with ThreadPoolExecutor(len(pipes)) as readers:
            texts = [readers.submit(_read_all, reader) for reader, _ in pipes]
            for _, end in pipes:
                end.close()
            process.join(LIMIT_S)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired([*AFRESH, *arguments], LIMIT_S)
        return Ended(process.exitcode, *(text.result() for text in texts))

    def run_on_terminal(
        self, *arguments: str, columns: int = 80, typed: str = "", **environment: str
    ) -> Ended:
        """Run it on its own terminal, without a pager unless `environment` has one, and return all output as
        one text. `typed`: what a person types."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment
            | {"TERM": "xterm-256color", "COLUMNS": str(columns), "PAGER": "cat"}
            | environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        os.write(leader, typed.encode())
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

    def run_half_on_terminal(self, *arguments: str, on_terminal: str) -> tuple[str, str]:
        """Run it with one of "stdout" and "stderr" on a terminal and the other in a pipe; gives what both
        got."""
        leader, follower = pty.openpty()
        ends = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, on_terminal: follower}
        with subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment | {"TERM": "xterm-256color", "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=ends["stdout"],
            stderr=ends["stderr"],
        ) as process:
            os.close(follower)
            shown = b""
            while chunk := _read(leader):
                shown += chunk
            piped = (process.stderr if on_terminal == "stdout" else process.stdout) or io.BytesIO()
            text = piped.read()
        os.close(leader)
        return shown.decode("utf-8"), text.decode("utf-8")


def _read_all(reader: Connection) -> str:
    with reader, open(reader.fileno(), "rb", closefd=False) as output:
        return output.read().decode("utf-8")


def _syncctl(
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    stdout: Connection,
    stderr: Connection,
) -> None:
    """In the forked process: what Python itself would have prepared, then the program."""
    os.setsid()
    for number, name, end in ((1, "stdout", stdout), (2, "stderr", stderr)):
        os.dup2(end.fileno(), number)
        end.close()
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole run
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program = Path(sys.modules["syncctl"].__path__[0], "__main__.py")
    sys.argv = [str(program), *arguments]
    from syncctl.cli.main import main

    main()


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # EIO: the other end is closed (end of file on Linux)
        return b""
