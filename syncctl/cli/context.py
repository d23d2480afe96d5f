"""What every command shares: --env-file, -q, -v, the settings, the log and the error boundary."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from syncctl.cli.ending import NEW_NAMES, error_boundary, last_words, name_of, reporting_exit_status
from syncctl.cli.help.tree import HelpfulCommand, HelpfulGroup
from syncctl.cli.logs.uncaught import remember
from syncctl.cli.options import EnvFile, Quiet, Verbose, refuse_idle_options
from syncctl.cli.render.printer import console, expect_result, print_message
from syncctl.cli.stopping import stoppable
from syncctl.cli.terminal.streams import can_redraw
from syncctl.errors import StopRequestedError
from syncctl.ports.stop import Stop
from syncctl.ports.waiting import watched_by

if TYPE_CHECKING:
    from syncctl.cli.logs.setup import RecentLines
    from syncctl.cli.render.clock import Clock
    from syncctl.domain.shards import Shard
    from syncctl.monitoring.healthchecks import Heartbeat
    from syncctl.monitoring.metrics import RunMetrics
    from syncctl.ports.admin import Database
    from syncctl.ports.listener import Listener
    from syncctl.ports.machine import NextStart
    from syncctl.safe_output.redact import Redactor
    from syncctl.settings.settings import Settings


class Session:
    """The context of one command. `heartbeat` and `metrics`, once set, report how the command ends."""

    def __init__(
        self, env_file: Path | None, stop: Stop, *, quiet: bool, verbose: bool, logged: bool
    ) -> None:
        """`logged`: without a terminal, everything the command writes to stderr is formatted like the log."""
        self.stop = stop
        self.env_file = env_file
        self.quiet = quiet
        self.verbose = verbose
        self.as_json: str | None = None
        """The command's name, if its one object is to be printed."""
        self.heartbeat: Heartbeat | None = None
        self.metrics: RunMetrics | None = None
        self.partial_result: Mapping[str, Any] | None = None
        """With --json: what a run came to that is broken off, or ends with an error after it."""
        self._logged = logged
        self._log: logging.Logger | None = None
        self._database: Database | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings, read and checked once. Raises SettingsError."""
        from syncctl.settings.settings import load_settings

        settings = load_settings(self.env_file)
        remember(settings.secrets)
        self.__dict__.pop("redactor", None)  # an earlier one knows fewer secrets
        return settings

    def clock(self) -> Clock:
        """The reader's clock at this moment: the business's zone."""
        from datetime import UTC, datetime

        from syncctl.cli.render.clock import Clock

        return Clock(self.settings.business_timezone, datetime.now(UTC))

    @cached_property
    def next_start(self) -> NextStart:
        """What starts the next sync by itself, looked up once: both the log and the screen say it."""
        from syncctl.wiring.checks import next_sync

        return next_sync(self.settings, self.env_file, self._database)

    @contextmanager
    def using(self, database: Database) -> Iterator[None]:
        """Within, `next_start` looks at this one, instead of opening it once more."""
        self._database = database
        try:
            yield
        finally:
            self._database = None

    @cached_property
    def redactor(self) -> Redactor:
        """Removes secrets and phone numbers from a text; with invalid settings, whatever looks like a
        secret."""
        from syncctl.safe_output.redact import Redactor

        known: Settings | None = self.__dict__.get("settings")
        if known is not None:
            return Redactor(known.secrets)
        from syncctl.settings.settings import written_secrets

        return Redactor(written_secrets(self.env_file))

    @cached_property
    def recent_lines(self) -> RecentLines:
        """The most recent log lines."""
        from syncctl.cli.logs.setup import RecentLines

        return RecentLines(self.redactor)

    @contextmanager
    def listener(self, settings: Settings | None = None) -> Iterator[Listener]:
        """The listener for a run: the log (on stderr unless that is a terminal, and in the log file), and
        the progress display on a terminal. `settings`: use these instead of the session's own."""
        from syncctl.cli.logs.run_events import Listeners, LogListener
        from syncctl.cli.logs.setup import configure_logging

        settings = settings or self.settings
        terminal = sys.stderr.isatty()
        file_level = (
            logging.DEBUG if self.verbose else logging.getLevelNamesMapping()[settings.log_level.upper()]
        )
        configure_logging(
            level=max(file_level, logging.WARNING) if self.quiet else file_level,
            file_level=file_level,
            stream_format=None if terminal else settings.log_format,
            log_file=settings.log_file,
            log_format=settings.log_format,
            redactor=self.redactor,
            recent_lines=self.recent_lines if self.heartbeat else None,
        )
        # It stays open until the command ends, to log why the run ended and how the heartbeat went.
        self._log = logging.getLogger("syncctl.run")
        if not terminal:
            log = LogListener(lambda: self.next_start)
            with self.stop.at_safe_points(), watched_by(log):
                yield log
            return
        from syncctl.cli.terminal.progress import ProgressListener

        progress = ProgressListener(
            console(stderr=True),
            quiet=self.quiet,
            verbose=self.verbose,
            animated=can_redraw(sys.stderr),
        )
        with self.stop.at_safe_points(), watched_by(progress), progress:
            yield Listeners((LogListener(lambda: self.next_start), progress))

    @contextmanager
    def waits_shown(self) -> Iterator[None]:
        """Within, a person at a terminal sees what is waited for, unless another display takes that over."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        from syncctl.cli.terminal.waiting import WaitDisplay

        with WaitDisplay(sys.stderr, in_place=can_redraw(sys.stderr)) as display, watched_by(display):
            yield

    def tell(self, text: str, level: int = logging.INFO, prefix: str = "") -> None:
        """Report something to the user and to the log. `prefix`: used where nothing else shows the level."""
        terminal = sys.stderr.isatty()
        lines = text.splitlines()
        if self._log is not None:
            for line in lines:
                self._log.log(level, "%s", line)
            if not terminal:
                return
        if terminal or not self._logged:
            print_message(prefix + self.redactor(text))
        if self._log is None and self._logged:
            self._notify_without_log(lines, level, shown=not terminal)

    def _notify_without_log(self, lines: list[str], level: int, *, shown: bool) -> None:
        from syncctl.cli.logs.setup import formatter, record_of

        known: Settings | None = self.__dict__.get("settings")
        form = formatter(known.log_format if known else "text", self.redactor)
        for record in (record_of(level, line) for line in lines):
            if shown:
                print_message(form.format(record))
            if self.heartbeat is not None:
                self.recent_lines.handle(record)

    def count_run(self, *, dry_run: bool, shard: Shard | None = None) -> None:
        """METRICS_FILE is to show this run, unless it is dry. `shard`: the part of the locations it syncs."""
        from datetime import UTC, datetime

        from syncctl.monitoring.metrics import RunMetrics

        self.metrics = None if dry_run else RunMetrics(datetime.now(UTC), shard)

    def add_to_heartbeat(self, line: str) -> None:
        """Add a line to what the monitor gets at the end, and to nothing else."""
        from syncctl.cli.logs.setup import record_of

        self.recent_lines.handle(record_of(logging.INFO, line))

    def end(self, status: int) -> None:
        """The command ends with `status`: leave the metrics, notify the heartbeat and close the log."""
        try:
            if self.metrics is not None:
                self._write_metrics(self.metrics, status)
            if self.heartbeat is not None:
                # The request that ended the command is not one to break this off, too.
                stop = Stop() if self.stop.requested else self.stop
                for trouble in self.heartbeat.end(status, str(self.recent_lines), stop):
                    self.tell(trouble, logging.WARNING, "Warning: ")
        except StopRequestedError:
            # The work is done and reported; only the heartbeat is cut short.
            self.tell("Stopped while the heartbeat was sent.", logging.WARNING)
        finally:
            if self._log is not None:
                from syncctl.cli.logs.setup import reset_logging

                reset_logging()

    def _write_metrics(self, metrics: RunMetrics, status: int) -> None:
        from syncctl.settings.settings import metrics_file
        from syncctl.wiring.monitoring import write_metrics

        known: Settings | None = self.__dict__.get("settings")
        file = known.metrics_file if known else metrics_file(self.env_file)
        if (problem := write_metrics(metrics, file, status)) is not None:
            self.tell(problem, logging.WARNING, "Warning: ")


def command(  # noqa: PLR0913 - each is optional
    app: typer.Typer,
    name: str,
    *,
    aliases: tuple[str, ...] = (),
    hidden: bool = False,
    logged: bool = False,
    new_name: str = "",
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function of (session, …) as a command with the options that every command has.

    `aliases`: hidden additional names at the top level. `logged`: see Session. `new_name`: of a command under
    its old name, its own.
    """
    NEW_NAMES.update(dict.fromkeys(aliases, name))
    if new_name:
        NEW_NAMES[name] = new_name

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True)
        parameters = list(own.parameters.values())[1:]
        common = [
            inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            inspect.Parameter("env_file", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=EnvFile),
            inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
            inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose),
        ]

        def run(
            *, context: typer.Context, env_file: Path | None, quiet: bool, verbose: bool, **given: Any
        ) -> None:
            before: dict[str, Any] = context.obj or {}
            as_json = name_of(context) if given.get("json") else None
            expect_result()
            with stoppable(last_words(as_json)) as stop:
                session = Session(
                    env_file or before.get("env_file"),
                    stop,
                    quiet=quiet or bool(before.get("quiet")),
                    verbose=verbose or bool(before.get("verbose")),
                    logged=logged,
                )
                session.as_json = as_json
                # What is logged is so to its last line.
                section = stop.at_safe_points() if logged else nullcontext()
                with section, session.waits_shown(), reporting_exit_status(session), error_boundary(session):
                    refuse_idle_options(context)
                    function(session, **given)

        keyword_only = (each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters)
        run.__signature__ = inspect.Signature([*keyword_only, *common])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*parameters, *common)}
        run.__doc__ = function.__doc__
        app.command(name, cls=HelpfulCommand, hidden=hidden)(run)
        for alias in aliases:
            app.command(alias, cls=HelpfulCommand, hidden=True)(run)
        return function

    return register


def command_group(app: typer.Typer, name: str, help_text: str) -> typer.Typer:
    """Add a group of commands. Gives what they are registered with."""
    group = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None, help=help_text)
    app.add_typer(group, name=name)
    return group
