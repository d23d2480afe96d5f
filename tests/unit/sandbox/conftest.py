"""A small sandbox on a fixed day."""

from collections.abc import Iterator
from datetime import date

import pytest

from syncctl.sandbox import Sandbox

TODAY = date(2025, 3, 31)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(bookings=100, today=TODAY) as running:
        yield running
