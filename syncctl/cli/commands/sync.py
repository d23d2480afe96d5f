"""The commands that sync from the rental API: `api`, `stores`, one for each report, `all`.

They differ in their steps only, so that one table has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import DryRun, Force, From, Full, Json, Location, ShardOption, To, Wait, window_of
from syncctl.cli.terminal.streams import is_automatic
from syncctl.domain.sources import API_STEPS, FILE_STEPS, RECORDS, SOURCES, StepName
from syncctl.errors import ExitCode, InterruptedRunError, StopRequestedError, StorageError, UsageError

if TYPE_CHECKING:
    from syncctl.domain.run_results import RunResult
    from syncctl.services.sync.planning import SyncOptions


def finish(
    session: Session,
    result: RunResult,
    *,
    as_json: bool,
    show: Callable[[RunResult], None] | None = None,
) -> None:
    """Show how a run ended, by `show` if it is given, and end the program accordingly."""
    from syncctl.cli.render.runs import render_run
    from syncctl.domain.run_documents import exit_code

    status = exit_code(result)
    try:
        if show is None:
            if as_json or not session.quiet:
                render_run(result, session.clock(), lambda: session.next_start, as_json=as_json)
        else:
            show(result)
    except BrokenPipeError:
        raise typer.Exit(status or ExitCode.FAILED) from None
    if status:
        raise typer.Exit(status)


@contextmanager
def result_even_if_aborted(session: Session) -> Iterator[Callable[[RunResult], None]]:
    """Takes what a run came to. With --json that stands beside the error also where the run is broken off, or
    what is left to do after it: whoever reads it wants to know what was stored."""
    from syncctl.cli.render.runs import render_aborted
    from syncctl.domain.run_documents import run_envelope

    kept: list[RunResult] = []
    try:
        yield kept.append
    except (StopRequestedError, InterruptedRunError, StorageError):
        if kept and session.as_json is not None:
            session.partial_result = run_envelope(kept[0])
        elif kept:
            render_aborted(kept[0])
        raise


class _Asked(NamedTuple):
    """The options of a sync that don't say what is fetched."""

    dry_run: bool
    force: bool
    wait_s: float
    as_json: bool


def _sync(
    session: Session, name: str, steps: tuple[StepName, ...], options: SyncOptions, asked: _Asked
) -> None:
    """Sync, and end the program accordingly."""
    from syncctl.domain.steps import Trigger
    from syncctl.wiring.monitoring import heartbeat_of, observer_of
    from syncctl.wiring.runs import Invocation, run_all, run_sync, switched_off

    automatic = is_automatic()
    trigger = Trigger.AUTO if automatic else Trigger.MANUAL
    invocation = Invocation(
        name,
        trigger,
        asked.dry_run,
        asked.wait_s,
        using=session.using,
        shard=options.shard,
        stop=session.stop,
    )
    if automatic and not asked.force and not session.settings.api_sync_enabled:
        session.tell("Automatic sync is off (API_SYNC_ENABLED=false): nothing done; --force runs it.")
        result = switched_off(session.settings, invocation, steps)
    else:
        heartbeat = heartbeat_of(session.settings, name, options, dry_run=asked.dry_run)
        to_monitor = None
        if heartbeat is not None:
            session.heartbeat, to_monitor = heartbeat, session.add_to_heartbeat
            invocation = replace(invocation, on_begun=heartbeat.begin)
        is_part = not options.covers_everything
        observe = observer_of(session.settings, session.metrics, is_part=is_part, to_monitor=to_monitor)
        with result_even_if_aborted(session) as keep, session.listener() as listener:
            invocation = replace(invocation, observe=observe, on_ended=keep)
            if name == "all":
                result = run_all(session.settings, invocation, options, listener)
            else:
                result = run_sync(session.settings, invocation, steps, options, listener)
    finish(session, result, as_json=asked.as_json)


def _sync_command(name: str, steps: tuple[StepName, ...]) -> Callable[..., None]:
    def sync(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        full: Full = False,
        date_from: From = None,
        date_to: To = None,
        location: Location = None,
        shard: ShardOption = None,
        dry_run: DryRun = False,
        force: Force = False,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        from syncctl.domain.shards import Shard
        from syncctl.services.sync.planning import SyncOptions

        part = Shard.parse(shard) if shard is not None else None
        session.count_run(dry_run=dry_run, shard=part)
        if part is not None and location:
            raise UsageError("Use either --shard or --location: each says which locations are asked.")
        if part is not None and name == "all":
            raise UsageError("`all` imports files as well, which can't be shared: use `api --shard`.")
        first, last = window_of(full, date_from, date_to, session.clock)
        options = SyncOptions(full, first, last, tuple(location or ()), part)
        _sync(session, name, steps, options, _Asked(dry_run, force, wait, json))

    def sync_stores(
        session: Session, dry_run: DryRun = False, force: Force = False, wait: Wait = 0.0, json: Json = False
    ) -> None:
        from syncctl.services.sync.planning import SyncOptions

        session.count_run(dry_run=dry_run)
        _sync(session, name, steps, SyncOptions(), _Asked(dry_run, force, wait, json))

    # The store list is fetched as a whole: there is nothing to choose.
    return sync_stores if steps == (StepName.STORES,) else sync


_COMMANDS: Mapping[str, tuple[tuple[StepName, ...], str]] = {
    "api": (API_STEPS, f"Sync stores, {RECORDS}, as cron does."),
    "stores": ((StepName.STORES,), "Sync only the store list."),
    **{step.value: ((step,), f"Sync only {source.plural}.") for step, source in SOURCES.items()},
    "all": ((*API_STEPS, *FILE_STEPS), "Sync, then import from IMPORT_DIR; by hand only."),
}
"""Command -> the steps that it runs, and its help."""


def register(app: typer.Typer) -> None:
    """Add the commands, and the names that they had in the old system."""
    for name, (steps, help_text) in _COMMANDS.items():
        sync = _sync_command(name, steps)
        sync.__doc__ = help_text
        command(app, name, aliases=(f"sync:{name}",), logged=True)(sync)
