"""The present moment, as the adapters stamp what they write; tests put their own in its place."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
