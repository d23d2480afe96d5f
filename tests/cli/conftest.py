"""A program with a sandbox to talk to."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox
from tests.support.program import Program


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=3, bookings=30) as sandbox:
        yield sandbox


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    return Program(tmp_path, API_BASE_URL=sandbox.base_url)


@pytest.fixture
def today(sandbox: Sandbox) -> date:
    return sandbox.today
