"""Checks as `--json` prints them: nothing that a lead holds is shown whole, wherever it stands."""

import json

import pytest

from syncctl.cli.render.checks import bar, render_checks
from syncctl.domain.checks import CheckReport, Finding, Tally
from syncctl.safe_output.redact import Redactor


def test_a_number_in_the_place_of_a_name_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    report = CheckReport(
        "verify data", (Finding.passed("Leads", "of 9876543219"),), (Tally("By store", {"9876543219": 2}),)
    )
    render_checks(report, Redactor(), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["tallies"] == {"By store": {"98xxxxxx19": 2}}
    assert document["checks"][0]["found"] == "of 98xxxxxx19"


def test_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    report = CheckReport("verify data", (), took={"leads": 1.23456})
    render_checks(report, Redactor(), as_json=True)
    assert json.loads(capsys.readouterr().out)["took_s"] == {"leads": 1.235}
    render_checks(report, Redactor(), as_json=False)
    assert capsys.readouterr().out == "Time for each\tleads\t1.235 s\n"


def test_quietly_only_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    well = Finding.passed("Leads", "5")
    report = CheckReport("verify data", (well, Finding.warning("Rejects", "2", "look")), took={"leads": 1.0})
    render_checks(report, Redactor(), as_json=False, quiet=True)
    assert capsys.readouterr().out == "WARNING\tRejects: 2 -> look\n"
    render_checks(CheckReport("verify data", (well,)), Redactor(), as_json=False, quiet=True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("count", "bar_shown"), [(0, "        "), (1, "▏       "), (50, "████    "), (100, "████████")]
)
def test_a_bar(count: int, bar_shown: str) -> None:
    assert bar(count, 100, 8) == bar_shown
