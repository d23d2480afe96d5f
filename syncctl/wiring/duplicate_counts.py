"""Keeps what a pass over all leads counted, for `status`, which makes none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.errors import StorageError
from syncctl.ports.admin import DuplicateCount
from syncctl.storage.registry import open_storage

if TYPE_CHECKING:
    from syncctl.services.cleanup.duplicates import DuplicateSets, OnCounted
    from syncctl.settings.settings import Settings

logger = logging.getLogger(__name__)


@contextmanager
def keeping_count(settings: Settings, command: str) -> Iterator[OnCounted]:
    """Gives what takes the duplicates that `command` counts; the last of them are kept at the end. A database
    that can't be written is a warning: what the command shows is as true without."""
    counted: list[DuplicateSets] = []
    yield counted.append
    for duplicates in counted[-1:]:
        count = DuplicateCount(duplicates.count, duplicates.extra_copies, datetime.now(UTC), command)
        try:
            # Not prepared: a look upgrades nothing and makes no index.
            with closing(open_storage(settings.database_url)) as database:
                database.save_duplicate_count(count)
        except StorageError as problem:
            logger.warning("The count of duplicates is not kept for `syncctl status`: %s", problem)
