"""`sandbox --dialect`: named in the help and on a slip, and spoken."""

import json
import re
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from syncctl.sandbox import DIALECTS, TRAITS
from tests.support.program import Program

ALL_NAMES = {*DIALECTS, *TRAITS, "capped-N"}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_the_help_explains_every_dialect(program: Program) -> None:
    lines = program.run("sandbox", "-h").stdout.splitlines()
    explained = [found[1] for line in lines if (found := re.match(r" {6}([a-z][-\w]+) +\S", line))]
    assert sorted(explained) == sorted(ALL_NAMES)
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)


def test_the_reference_names_every_dialect() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^ {4}([a-z][-\w]+) +\S", page, re.MULTILINE)) == ALL_NAMES


@pytest.mark.parametrize(
    ("dialects", "message"),
    [
        (["klingon"], "Unknown dialect 'klingon'. Known: own-date, "),
        (["own-date", "id-ignored@stores"], "'id-ignored@stores' doesn't name a report"),
        (
            ["own-date@return", "id-ignored@return"],
            "'own-date@return' and 'id-ignored@return' are for the same",
        ),
    ],
)
def test_what_is_no_dialect_is_refused(program: Program, dialects: list[str], message: str) -> None:
    ended = program.run("sandbox", *(part for name in dialects for part in ("--dialect", name)))
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: --dialect: {message}")


def test_each_report_speaks_its_own_dialect(program: Program) -> None:
    """The bookings of both shops under the id of one; the returns cut after five rows."""
    arguments = ("--port", "0", "--locations", "2", "--dialect", "capped-5@return", "--dialect", "id-ignored")
    with program.start("sandbox", *arguments) as serving:
        try:
            assert serving.stdout is not None
            url = serving.stdout.readline().strip().removeprefix("API_BASE_URL=")
            answers = [rows(f"{url}/api/Reports/Get{report}Report") for report in ("Booking", "Return")]
        finally:
            serving.terminate()
    assert [len(answer) for answer in answers] == [2 * 352, 5]
    assert [len({row["location"] for row in answer}) for answer in answers] == [2, 1]


def rows(url: str) -> list[dict[str, object]]:
    """What the report answers for the first location's last twelve months."""
    headers = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}
    body = json.dumps({"locationID": "7", "months": "12"}).encode()
    with urlopen(Request(url, body, headers)) as answer:  # noqa: S310 - loopback
        found: list[dict[str, object]] = json.load(answer)["dataSet"]["data"]
    return found
