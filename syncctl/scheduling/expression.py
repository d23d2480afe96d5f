"""Cron expressions: the next time by Debian cron's rules (cronsim), and the five fields as numbers."""

from __future__ import annotations

import re
from collections.abc import Set
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from syncctl.errors import SettingsError

_ITEM = r"(?:\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/[0-9]+)?"
_FIELD = re.compile(rf"{_ITEM}(?:,{_ITEM})*")
_SINGLE_WITH_STEP = re.compile(r"(?<![^,])([0-9A-Za-z]+)/([0-9]+)")
_HIGHEST = ("59", "23", "31", "12", "7")
_ALL_HOURS, _ALL_DAYS = frozenset(range(24)), frozenset(range(1, 32))
_ALL_MONTHS, _ALL_WEEKDAYS = frozenset(range(1, 13)), frozenset(range(7))


class CronFields(NamedTuple):
    """When a schedule fires."""

    minutes: Set[int]
    hours: Set[int]
    days: Set[int]
    months: Set[int]

    weekdays: Set[int]
    """0 (Sunday) to 6."""

    either_day: bool
    """Both day fields are restricted, so one match is enough (crontab(5), "Note")."""


def cron_fields(cron: str) -> CronFields:
    """The fields of a schedule that `next_run` accepts.

    Raises SettingsError for cronsim's extensions to crontab(5): L, LW and #.
    """
    from cronsim import CronSim

    if not all(map(_FIELD.fullmatch, cron.split())) or re.search(r"\bL|[0-9]L", cron.upper()):
        raise SettingsError(
            f'API_SYNC_TIME is "{cron}": cron supports neither L nor # (crontab(5)): '
            "use numbers, ranges and steps."
        )
    parsed = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    return CronFields(
        minutes=frozenset(parsed.minutes),
        hours=frozenset(parsed.hours),
        days=frozenset(parsed.days),
        months=frozenset(parsed.months),
        weekdays=frozenset(day % 7 for day in parsed.weekdays if isinstance(day, int)),
        either_day=not parsed.day_and,
    )


def crontab_fields(cron: str) -> str:
    """The schedule in crontab syntax. Raises SettingsError as `cron_fields` does.

    5/15, which Debian's cron reads as a plain 5, becomes 5-59/15, as cronsim reads it.
    """
    cron_fields(cron)
    return " ".join(
        _SINGLE_WITH_STEP.sub(rf"\1-{highest}/\2", field)
        for field, highest in zip(cron.split(), _HIGHEST, strict=True)
    )


def same_in_both_zones(cron: str, zone: tzinfo, other: tzinfo, now: datetime) -> bool:
    """Whether the schedule fires at the same instants in both zones, in the year after `now`.

    Raises SettingsError as `cron_fields` does.
    """
    fields = cron_fields(cron)
    any_hour = (fields.hours, fields.days, fields.months, fields.weekdays) == (
        _ALL_HOURS,
        _ALL_DAYS,
        _ALL_MONTHS,
        _ALL_WEEKDAYS,
    )
    for week in range(53):
        moment = now + timedelta(weeks=week)
        apart = _offset(zone, moment) - _offset(other, moment)
        minutes = int(apart.total_seconds()) // 60
        shifted = {(minute + minutes) % 60 for minute in fields.minutes}
        if minutes and not (any_hour and shifted == fields.minutes):
            return False
    return True


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def next_run(cron: str, zone: tzinfo, after: datetime) -> datetime:
    """The first time strictly after `after` (aware) when `cron` fires in `zone`, as aware UTC.

    Raises SettingsError if `cron` does not have five valid fields, or never fires within 50 years.
    """
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:
        # cronsim would take a sixth field, for seconds: crontab(5) has five.
        raise SettingsError(f'"{cron}" is not a schedule of five fields such as */5 * * * *')
    try:
        for candidate in CronSim(cron, after.astimezone(zone)):
            moment = candidate.astimezone(UTC)
            # In the hour repeated at the end of summer time, cronsim takes `after` for the first occurrence.
            if moment > after:
                return moment
    except CronSimError as error:
        raise SettingsError(
            f'"{cron}" is not a schedule: {error} (five fields such as */5 * * * *)'
        ) from error
    raise SettingsError(f'the schedule "{cron}" never runs')
