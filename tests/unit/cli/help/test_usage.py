"""What is wrong with a command line is said in two plain lines."""

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from syncctl.cli.app import whole_program
from syncctl.cli.help.texts import EVERYDAY

Said = tuple[str, str]


def said(line: list[str]) -> Said:
    """The error and where the help is, of a command line that is refused."""
    ended = CliRunner().invoke(whole_program(), line, prog_name="syncctl")
    assert (ended.exit_code, ended.stdout) == (2, "")
    error, where, *more = [*ended.stderr.splitlines(), ""]
    assert more == [""] or not where
    return error, where


@pytest.mark.parametrize(
    ("line", "error", "where"),
    [
        (["history", "--limit", "ten"], "--limit needs a whole number from 0 to 1000000.", "history"),
        (["sandbox", "--port", "99999"], "--port needs a whole number from 0 to 65535.", "sandbox"),
        (["sandbox", "--seed", "x"], "--seed needs a whole number.", "sandbox"),
        (["api", "--wait", "soon"], "--wait needs a number, 0 or more.", "api"),
        (["api", "--dryrun"], "There is no option --dryrun. Did you mean --dry-run?", "api"),
        (["api", "-x"], "There is no option -x.", "api"),
        (["api", "x"], "Unexpected argument: 'x'.", "api"),
        (["api", "--json=3"], "--json takes no value.", "api"),
        (["history", "--limit"], "--limit needs a value: N.", "history"),
        (["--json", "status"], "--json goes after the command, as in `syncctl status --json`.", ""),
        (
            ["cron", "--systemd", "install"],
            "--systemd goes after the command, as in `syncctl cron install --systemd`.",
            "cron",
        ),
        (["--json"], "--json goes after the command, as in `syncctl COMMAND --json`.", ""),
        (["stauts"], "There is no command 'stauts'. Did you mean status?", ""),
        (["install"], "There is no command 'install'. Did you mean cron install?", ""),
        (
            ["cleanup", "dupl"],
            "There is no command 'cleanup dupl'. Did you mean cleanup duplicates?",
            "cleanup",
        ),
        (["qqq\x1b[31m"], r"There is no command 'qqq\x1b[31m'.", ""),
        (["completion", "csh"], "SHELL must be bash, zsh or fish.", "completion"),
        (
            ["rejects", "export"],
            "FILE is missing: the .csv or .xlsx to write; - is stdout.",
            "rejects export",
        ),
        (["import", "walkin", "x", "--store", " "], "--store: it is empty.", "import walkin"),
        # A forgotten value: else a file would have the option's name.
        (["import", "walkin", "x", "--preview", "-n"], "--preview needs a value before -n.", "import walkin"),
        (["doctor", "--evidence", "--json"], "--evidence needs a value before --json.", "doctor"),
        (
            ["import", "walkin", "x", "--preview", "-x.csv"],
            "--preview: -x.csv looks like an option; write ./-x.csv if it is meant.",
            "import walkin",
        ),
        (
            ["rejects", "export", "--", "--json"],
            "FILE: --json looks like an option; write ./--json if it is meant.",
            "rejects export",
        ),
        (["demo", "--keep", "-"], "--keep: - looks like an option; write ./- if it is meant.", "demo"),
    ],
)
def test_a_command_line_that_is_refused(line: list[str], error: str, where: str) -> None:
    assert said(line) == (f"Error: {error}", f"Help: syncctl {where} -h".replace("  ", " "))


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["stores", "--full"], "There is no option --full."),
        (["stores", "--location", "7"], "There is no option --location."),
        (["status", "--interval", "3"], "--interval goes with --watch."),
        (["cleanup", "stores", "--wait", "3"], "--wait goes with --apply."),
        (["import", "undo", "abc", "--yes"], "--yes goes with --apply."),
        (["verify", "source", "--wait", "3"], "--wait goes with --repair."),
        (["doctor", "--force"], "--force goes with --evidence."),
        (["import", "walkin", "x", "--force"], "--force goes with --preview."),
        (["history", "abc", "--limit", "3"], "--limit means nothing beside RUN: leave it out."),
        (["cron", "install", "--systemd", "-n"], "--dry-run means nothing beside --systemd: leave it out."),
        (["api", "--from", "ten"], "--from 'ten' isn't a date: write it as 2026-01-31."),
        (["api", "--from", "2026-02-30"], "--from '2026-02-30' isn't a date: write it as 2026-01-31."),
        (
            ["api", "--from", "2026-02-01", "--to", "2026-01-01"],
            "--from 2026-02-01 is after --to 2026-01-01.",
        ),
        (["api", "--from", "9000-01-01"], "--from 9000-01-01 is after today."),
        (["verify", "source", "--from", "9000-01-01"], "--from 9000-01-01 is after today."),
        (["api", "--wait", "nan"], "--wait needs a number."),
        (["api", "--to", "2026-01-01"], "--to goes with --from: name the first day, too."),
        (["config", "NOSUCH"], "There is no setting 'NOSUCH': `syncctl config` lists them all."),
        (["help", "imprt"], "There is no command 'imprt'. Did you mean import?"),
        (["help", "--man", "api"], "--man means nothing beside COMMAND: it is one page."),
    ],
)
def test_what_means_nothing_is_refused_before_anything_is_done(
    line: list[str], error: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert error in said(line)[0]


def test_nothing_typed_shows_what_is_typed_most() -> None:
    ended = CliRunner().invoke(whole_program(), [], prog_name="syncctl")
    assert (ended.exit_code, ended.stdout) == (2, "")
    lines = ended.stderr.splitlines()
    everyday = [line[2:].partition("  ")[0] for line in lines if line.startswith("  syncctl")]
    assert everyday == [f"syncctl {line}" for line, _ in EVERYDAY]
    assert len(everyday) == 5
    assert "syncctl -h" in ended.stderr
    assert max(map(len, lines[1:])) <= 80


def test_the_error_carries_the_message_alone() -> None:
    for line, message in (
        (["stauts"], "There is no command 'stauts'. Did you mean status?"),
        ([], "No command is given."),
    ):
        with pytest.raises(typer.BadParameter) as refused:
            get_command(whole_program()).main(line, standalone_mode=False)
        assert refused.value.format_message() == message


def test_a_group_alone_shows_its_help() -> None:
    ended = CliRunner().invoke(whole_program(), ["cleanup"], prog_name="syncctl")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("Usage: syncctl cleanup [OPTIONS] COMMAND")
