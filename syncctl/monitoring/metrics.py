"""Leaves what a run came to in a file for node_exporter's textfile collector (METRICS_FILE)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from syncctl import __version__
from syncctl.domain.run_results import RunResult
from syncctl.domain.shards import Shard
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import ExitCode, StorageError
from syncctl.filesystem.ordinary_files import read_named
from syncctl.filesystem.private_files import PrivateFile
from syncctl.ports.storage import Storage

FILE_MODE = 0o644
"""node_exporter runs as another user."""

_HELP = {
    "syncctl_last_run_timestamp_seconds": "When the last run ended, however it ended.",
    "syncctl_last_success_timestamp_seconds": "When a step was last a success, as a whole.",
    "syncctl_run_duration_seconds": "How long the last run took.",
    "syncctl_exit_status": "The exit status of the last run.",
    "syncctl_rows": "Rows of the last run of a step, by outcome.",
    "syncctl_rejects": "Rows on the rejects list.",
    "syncctl_watermark_timestamp_seconds": "Up to when a location of a report is synced.",
    "syncctl_build_info": "The version.",
}
_LARGEST = 10_000_000
_LABEL = r'[a-z]+="(?:[^"\\\n]|\\.)*"'
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"
_SERIES = re.compile(rf"({'|'.join(_HELP)})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? ({_NUMBER})")


class Series(NamedTuple):
    """What a value is about."""

    metric: str

    labels: str = ""
    """As the file has them between braces."""


class RunMetrics:
    """What a run knows when it ends. The rest keeps the values that an earlier run left."""

    def __init__(self, began: datetime, shard: Shard | None = None) -> None:
        """`began`: when the command did, for one that is interrupted and has no result. `shard`: the run
        syncs only this part of the locations, and so has a file of its own."""
        self._began = began
        self._shard = shard
        self._shard_label = {} if shard is None else {"shard": str(shard)}
        """node_exporter refuses series that two files have alike."""
        self._values: dict[Series, float] = {}
        self._took: float | None = None
        self._replaced: set[str] = set()
        """Metrics of which nothing is kept that an earlier run left."""

    def observe(self, result: RunResult, storage: Storage, *, is_part: bool) -> None:
        """Take a run's result, and what the database says after it. `is_part`: it was asked for some
        locations or days only, so its success says nothing of the step as a whole."""
        self._took = result.duration_s
        ended = result.started_at.timestamp() + result.duration_s
        for step in result.steps:
            if step.status is StepStatus.SKIPPED:
                continue
            if step.status is StepStatus.SUCCESS and not is_part:
                self._set("syncctl_last_success_timestamp_seconds", {"step": step.name}, ended)
            for outcome, count in asdict(step.counts).items():
                if outcome != "rows":
                    self._set("syncctl_rows", {"step": step.name, "outcome": outcome}, count)
        try:
            rejects, watermarks = storage.open_rejects().count, dict(_watermarks(storage))
        except StorageError:
            return  # the run failed by it, and says so
        self._replaced = {"syncctl_watermark_timestamp_seconds"}
        self._set("syncctl_rejects", {}, rejects)
        for (report, location), at in watermarks.items():
            if self._shard is not None and not self._shard.has(location):
                continue
            labels = {"report": report, "location": location}
            self._set("syncctl_watermark_timestamp_seconds", labels, at.timestamp())

    def write(self, file: Path, status: int, now: datetime) -> None:
        """Write the file, whole or not at all. `status`: the exit status. Raises OSError."""
        if self._shard is not None:
            file = self._shard.file_of(file)
        replaced = {*self._replaced, "syncctl_build_info"}
        kept = {series: value for series, value in _read(file).items() if series.metric not in replaced}
        self._set("syncctl_last_run_timestamp_seconds", {}, now.timestamp())
        self._set("syncctl_exit_status", {}, int(status))
        if self._took is None and status != ExitCode.LOCK_HELD:
            self._took = (now - self._began).total_seconds()
        if self._took is not None:
            self._set("syncctl_run_duration_seconds", {}, self._took)
        self._set("syncctl_build_info", {"version": __version__}, 1)
        values = kept | self._values
        unfinished = PrivateFile(file, overwrite=True, mode=FILE_MODE)
        try:
            unfinished.out.write("".join(_lines(values)).encode())
            unfinished.finish()
        finally:
            unfinished.discard()

    def _set(self, metric: str, labels: Mapping[str, str], value: float) -> None:
        self._values[Series(metric, _labels({**labels, **self._shard_label}))] = value


def _watermarks(storage: Storage) -> Iterator[tuple[tuple[StepName, str], datetime]]:
    for report in REPORT_STEPS:
        for location, state in storage.location_states(report).items():
            # A dormant one has nothing to be synced, so its watermark says nothing.
            if state.watermark is not None and not state.dormant:
                yield (report, location), state.watermark


def _labels(labels: Mapping[str, str]) -> str:
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{name}="{value.translate(escapes)}"' for name, value in labels.items())


def _read(file: Path) -> dict[Series, float]:
    """The values that an earlier run left; none where the file is missing or another program's."""
    try:
        text = read_named(file, _LARGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    found = filter(None, map(_SERIES.fullmatch, text.split("\n")))
    return {Series(line[1], line[2] or ""): float(line[3]) for line in found}


def _lines(values: Mapping[Series, float]) -> Iterator[str]:
    for metric, help_text in _HELP.items():
        of_it = {series.labels: value for series, value in values.items() if series.metric == metric}
        if not of_it:
            continue
        yield f"# HELP {metric} {help_text}\n# TYPE {metric} gauge\n"
        for labels, value in sorted(of_it.items()):
            yield f"{metric}{{{labels}}} {value!r}\n" if labels else f"{metric} {value!r}\n"
