"""Which sync starts by itself next, by what is scheduled and what runs on this machine."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncctl.ports.machine import NextStart, ScheduleState, StartedBy
from syncctl.settings.settings import Settings, load_settings
from syncctl.wiring import scheduling
from tests.support.crontab import FakeCrontab

NOW = datetime(2026, 11, 27, 14, 2, tzinfo=UTC)
LINE = ScheduleState(installed=True, in_step=True, found="the line", schedule="*/10 * * * *")
TIMER = ScheduleState(installed=True, in_step=True, found="the timer", by_systemd=True)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """On a machine whose cron daemon runs and whose clock is UTC."""
    file = tmp_path / ".env"
    file.write_text('API_SYNC_TIME="*/5 * * * *"\n', encoding="utf-8")
    run_by(monkeypatch, {"cron"})
    monkeypatch.setattr(scheduling, "system_zone", lambda: ("UTC", UTC))
    monkeypatch.setenv("HOME", str(tmp_path))
    return load_settings(file)


def run_by(monkeypatch: pytest.MonkeyPatch, running: set[str] | None) -> None:
    monkeypatch.setattr(scheduling, "running_schedulers", lambda: running)


def test_the_lines_own_times_count_if_a_daemon_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 27, 14, 10, tzinfo=UTC)
    assert scheduling.start_of(LINE, settings, NOW) == NextStart(StartedBy.CRONTAB, at, daemon="cron")
    hourly = LINE._replace(schedule="@hourly")
    assert scheduling.start_of(hourly, settings, NOW) == NextStart(StartedBy.CRONTAB, daemon="cron")
    of_others = LINE._replace(schedule="", found="it runs with --env-file /other")
    assert "/other" in scheduling.start_of(of_others, settings, NOW).problem
    run_by(monkeypatch, None)  # other users' processes can't be seen
    assert scheduling.start_of(LINE, settings, NOW) == NextStart(StartedBy.CRONTAB, at)
    run_by(monkeypatch, {"systemd"})
    start = scheduling.start_of(LINE, settings, NOW)
    assert (start.at, start.by) == (None, StartedBy.CRONTAB)
    assert "no cron daemon is running" in start.problem


def test_a_timers_times_are_those_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "systemd is not running" in scheduling.start_of(TIMER, settings, NOW).problem
    run_by(monkeypatch, {"systemd", "cron"})
    at = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
    assert scheduling.start_of(TIMER, settings, NOW) == NextStart(StartedBy.TIMER, at, daemon="systemd")
    moved = TIMER._replace(in_step=False, found="it comes at noon")
    assert scheduling.start_of(moved, settings, NOW).problem == "it comes at noon"


def test_what_can_not_be_seen_is_not_known_and_without_crontab_nothing_is_scheduled(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crontab = FakeCrontab(tmp_path / "bin")
    monkeypatch.setenv("PATH", crontab.path)
    file = tmp_path / ".env"
    assert scheduling.next_start(settings, file, NOW) == NextStart()
    crontab.content = scheduling.plan_install(settings, file, {}).after
    assert scheduling.next_start(settings, file, NOW).at == datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
    crontab.deny()
    assert "not allowed" in scheduling.next_start(settings, file, NOW).problem
    (tmp_path / "bin" / "crontab").write_text("#!/bin/sh\nexec sleep 9\n", encoding="utf-8")
    monkeypatch.setattr(scheduling, "GLANCE_LIMIT_S", 0.1)
    assert "did not end within 0.1 s" in scheduling.next_start(settings, file, NOW).problem
    monkeypatch.setenv("PATH", str(tmp_path))
    assert scheduling.next_start(settings, file, NOW) == NextStart()
