"""Runs the program like cron or a person: in its own process, with an almost empty environment."""

import contextlib
import io
import multiprocessing
import os
import pkgutil
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
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
        if self._is_forkable(environment):
            ended = self._run_forked(*arguments, **environment)
        else:
            ended = self._run_afresh(*arguments, **environment)
        assert "Traceback" not in ended.output, ended.output
        return ended

    def _is_forkable(self, environment: Mapping[str, str]) -> bool:
        is_ordinary = self.command == AFRESH and not (self.folder / "syncctl").exists()
        names = (*self.environment, *environment)
        return is_ordinary and not any(name.startswith(READ_AT_START) for name in names)

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
        process = self._fork(arguments, environment, None, *(end for _, end in pipes))
        with ThreadPoolExecutor(len(pipes)) as readers:
            texts = [readers.submit(_read_all, reader) for reader, _ in pipes]
            status = _status(process)
        return Ended(status, *(text.result() for text in texts))

    def _fork(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        stdin: Connection | None,
        stdout: Connection,
        stderr: Connection,
    ) -> BaseProcess:
        """Start it with these streams, which are closed here."""
        names = {**self.environment, **environment}
        process = FORKS.Process(
            target=_syncctl, args=(arguments, self.folder, names, stdin, (stdout, stderr))
        )
        process.start()
        for stream in filter(None, (stdin, stdout, stderr)):
            stream.close()
        return process

    def run_on_terminal(
        self, *arguments: str, columns: int = 80, typed: str = "", **environment: str
    ) -> Ended:
        """Run it on its own terminal, without a pager unless `environment` has one, and return all output as
        one text. `typed`: what a person types."""
        leader, follower = pty.openpty()
        os.write(leader, typed.encode())
        names = {"TERM": "xterm-256color", "COLUMNS": str(columns), "PAGER": "cat"} | environment
        process: BaseProcess | subprocess.Popen[bytes]
        if self._is_forkable(names):
            process = self._fork(arguments, names, *(Connection(os.dup(follower)) for _ in range(3)))
        else:
            process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=self.folder,
                env=self.environment | names,
                stdin=follower,
                stdout=follower,
                stderr=follower,
            )
        os.close(follower)
        try:
            shown = _read_terminal(leader)
        finally:
            status = _status(process)
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
            shown = _read_terminal(leader)
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
    stdin: Connection | None,
    output: tuple[Connection, Connection],
) -> None:
    """In the forked process: what Python itself would have prepared, then the program."""
    os.setsid()
    if stdin is not None:
        os.dup2(stdin.fileno(), 0)
        stdin.close()
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole run
    for number, name, end in zip((1, 2), ("stdout", "stderr"), output, strict=True):
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


def _read_terminal(leader: int) -> bytes:
    """All that the other end shows until it is closed."""
    shown = b""
    with contextlib.suppress(OSError):  # EIO: it is closed (end of file on Linux)
        while chunk := os.read(leader, 65536):
            shown += chunk
    return shown


def _status(process: BaseProcess | subprocess.Popen[bytes]) -> int:
    """The exit status. A process that doesn't end is killed."""
    if isinstance(process, subprocess.Popen):
        try:
            return process.wait(LIMIT_S)
        finally:
            process.kill()
            process.wait()
    process.join(LIMIT_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"the program did not end in {LIMIT_S:g} s")
    return process.exitcode
