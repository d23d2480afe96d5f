"""Where several hosts share the locations: which of their parts is late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from syncctl.domain.run_history import RunEntry
from syncctl.domain.shards import Shard, shards
from syncctl.domain.sources import PLURALS, StepName
from syncctl.services.checks.freshness import NextSync, ago, late_from
from syncctl.services.checks.progress import Progress


def late_shards(
    progress: Mapping[StepName, Progress], runs: Iterable[RunEntry], now: datetime, next_sync: NextSync
) -> Iterator[str]:
    """What is late, in words: most locations of a part are behind, by the rule for all of them. `runs`: the
    newest first; the latest one that synced a part says how many parts there are."""
    written = next((shard for run in runs if (shard := run.document.get("shard"))), None)
    if written is None:
        return
    for shard in shards(Shard.parse(written).of):
        for report, whole in progress.items():
            part = _part(whole, shard)
            if not part.active:
                continue
            reached = part.reached(now)
            if reached is None:
                yield f"{PLURALS[report]}: part {shard} was never synced"
            elif now > late_from(reached, next_sync):
                yield f"{PLURALS[report]}: part {shard} was last synced {ago(reached, now)}"


def _part(progress: Progress, shard: Shard) -> Progress:
    active = tuple(state for state in progress.active if shard.has(state.location))
    return replace(progress, active=active)
