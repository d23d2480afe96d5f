"""What METRICS_FILE says, read as Prometheus reads it."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from syncctl import __version__
from syncctl.domain.checkpoints import LocationState
from syncctl.domain.run_results import Counts, RunResult, StepResult
from syncctl.domain.shards import shards
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StorageUnavailableError
from syncctl.monitoring.metrics import RunMetrics
from syncctl.ports.storage import OpenRejects, Storage

NOW = datetime(2026, 11, 26, 21, 50, tzinfo=UTC)
BEGAN = NOW - timedelta(seconds=7)
WATERMARK = datetime(2026, 11, 26, 21, 45, tzinfo=UTC)
Labels = tuple[tuple[str, str], ...]


def values(file: Path) -> dict[tuple[str, Labels], float]:
    """Every sample of the file by metric and labels."""
    families = text_string_to_metric_families(file.read_bytes().decode())
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, tuple(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def step(name: StepName, status: StepStatus, counts: Counts | None = None) -> StepResult:
    return StepResult(name, status, counts=counts or Counts())


def result(*steps: StepResult) -> RunResult:
    return RunResult(
        command="api",
        run_id="1",
        trigger=Trigger.AUTO,
        dry_run=False,
        started_at=NOW,
        duration_s=1.5,
        next_sync_at=None,
        steps=steps,
    )


class After:
    """What a run left in the database."""

    def __init__(self, locations: tuple[str, ...] = (), rejects: int = 0) -> None:
        self._locations, self._rejects = locations, rejects

    def open_rejects(self) -> OpenRejects:
        return OpenRejects(self._rejects, None)

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        if report is not StepName.BOOKING:
            # Never synced, and dormant.
            return {"9": LocationState("9"), "10": LocationState("10", WATERMARK, dormant=True)}
        return {location: LocationState(location, WATERMARK) for location in self._locations}

    @property
    def storage(self) -> Storage:
        return cast("Storage", self)


class Unreachable(After):
    def open_rejects(self) -> OpenRejects:
        raise StorageUnavailableError("gone")


def write(file: Path, *steps: StepResult, after: After | None = None, is_part: bool = False) -> None:
    metrics = RunMetrics(BEGAN)
    metrics.observe(result(*steps), (after or After()).storage, is_part=is_part)
    metrics.write(file, 0, NOW)


BOOKING = step(StepName.BOOKING, StepStatus.SUCCESS, Counts(rows=5, saved=3, invalid=2))


def test_everything_that_a_run_leaves(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    write(file, BOOKING, step(StepName.RETURN, StepStatus.PARTIAL), after=After(("7", "15"), rejects=4))
    found = values(file)
    outcomes = {
        "saved": 3,
        "updated": 0,
        "existing": 0,
        "reported": 0,
        "merged": 0,
        "invalid": 2,
        "ignored": 0,
    }
    rows = {
        ("syncctl_rows", (("step", name), ("outcome", outcome))): count if name == "booking" else 0
        for name in ("booking", "return")
        for outcome, count in outcomes.items()
    }
    assert found == rows | {
        ("syncctl_last_run_timestamp_seconds", ()): NOW.timestamp(),
        ("syncctl_last_success_timestamp_seconds", (("step", "booking"),)): NOW.timestamp() + 1.5,
        ("syncctl_run_duration_seconds", ()): 1.5,
        ("syncctl_exit_status", ()): 0,
        ("syncctl_rejects", ()): 4,
        (
            "syncctl_watermark_timestamp_seconds",
            (("report", "booking"), ("location", "7")),
        ): WATERMARK.timestamp(),
        (
            "syncctl_watermark_timestamp_seconds",
            (("report", "booking"), ("location", "15")),
        ): WATERMARK.timestamp(),
        ("syncctl_build_info", (("version", __version__),)): 1,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_a_run_kept_out_or_interrupted_keeps_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    write(file, BOOKING, after=After(("7",), rejects=4))
    before = values(file)
    RunMetrics(BEGAN).write(file, 75, NOW)
    assert values(file) == before | {("syncctl_exit_status", ()): 75}
    RunMetrics(BEGAN).write(file, 130, NOW)
    interrupted = {("syncctl_exit_status", ()): 130, ("syncctl_run_duration_seconds", ()): 7}
    assert values(file) == before | interrupted


def test_a_failed_step_keeps_its_last_success(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    success = ("syncctl_last_success_timestamp_seconds", (("step", "booking"),))
    write(file, BOOKING)
    known = values(file)[success]
    write(file, step(StepName.BOOKING, StepStatus.FAILED), after=Unreachable())
    assert values(file)[success] == known
    assert values(file)["syncctl_rejects", ()] == 0


def test_a_part_says_nothing_of_the_whole(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    write(file, BOOKING, is_part=True)
    assert not [name for name, _ in values(file) if name == "syncctl_last_success_timestamp_seconds"]


def test_a_location_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    write(file, BOOKING, after=After(("7", "15")))
    write(file, BOOKING, after=After(("7",)))
    assert [labels[1] for name, labels in values(file) if "watermark" in name] == [("location", "7")]


def test_parts_on_one_host_have_no_series_in_common(tmp_path: Path) -> None:
    """node_exporter refuses all of them else."""
    file, series = tmp_path / "syncctl.prom", []
    for shard in shards(2):
        metrics = RunMetrics(BEGAN, shard)
        metrics.observe(result(BOOKING), cast(Storage, After(("7", "8"))), is_part=False)
        metrics.write(file, 0, NOW)
        series.append(values(shard.file_of(file)).keys())
    assert not series[0] & series[1]
    locations = [
        [dict(labels)["location"] for _, labels in each if "location" in dict(labels)] for each in series
    ]
    assert locations == [["8"], ["7"]]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_location_can_be_a_label(location: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "syncctl.prom"
        write(file, BOOKING, after=After((location,)))
        once = values(file)
        assert (("report", "booking"), ("location", location)) in [labels for _, labels in once]
        RunMetrics(BEGAN).write(file, 0, NOW)
        assert values(file) == once | {("syncctl_run_duration_seconds", ()): 7}


def test_what_another_program_wrote_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "syncctl.prom"
    file.write_bytes(b"\xff not metrics\nsyncctl_rejects many\nnode_load1 0.5\nsyncctl_rejects 3\n")
    RunMetrics(BEGAN).write(file, 0, NOW)
    assert {name for name, _ in values(file)} == {
        "syncctl_rejects",
        "syncctl_last_run_timestamp_seconds",
        "syncctl_exit_status",
        "syncctl_run_duration_seconds",
        "syncctl_build_info",
    }
