"""The next time of a cron expression, by Debian cron's rules (cronsim)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from syncctl.errors import SettingsError


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
