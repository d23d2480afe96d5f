"""`cron show`, `install`, `remove`, as a person runs them, with a crontab(1) that stands in for Debian's."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from syncctl.wiring.scheduled_command import program_words
from tests.support.crontab import FakeCrontab
from tests.support.program import Program

OWN = b"MAILTO=clerk\xe9\r\n17 2 * * * echo 50\\%\n"


@pytest.fixture
def crontab(tmp_path: Path) -> FakeCrontab:
    return FakeCrontab(tmp_path / "bin")


@pytest.fixture
def program(tmp_path: Path, crontab: FakeCrontab) -> Program:
    folder = tmp_path / "it's here"
    folder.mkdir()
    program = Program(folder, API_SYNC_TIME='"*/7 * * * *"')
    program.environment["PATH"] = crontab.path
    return program


@pytest.mark.slow
def test_install_twice_and_remove(program: Program, crontab: FakeCrontab) -> None:
    crontab.content = OWN
    ended = program.run("cron", "install")
    assert (ended.status, ended.stdout) == (0, "")
    assert "Installed in " in ended.stderr
    # What runs on this machine decides whether it is a warning.
    assert re.search(
        r"First run: 2\d{3}-.*Z, in |The sync won't start by itself: no cron daemon is running", ended.stderr
    )
    assert crontab.content.startswith(OWN + b"# BEGIN syncctl (")
    assert b"\n*/7 * * * * /" in crontab.content
    assert (program.folder / "data").stat().st_mode & 0o077 == 0
    installed = crontab.content
    again = program.run("cron", "install")
    assert again.status == 0
    assert "No change" in again.stderr
    assert crontab.content == installed
    assert program.run("cron", "remove").status == 0
    assert crontab.content == OWN
    assert "has no lines of syncctl's" in program.run("cron", "remove").stderr


def test_remove_shows_the_difference_and_asks_on_a_terminal(program: Program, crontab: FakeCrontab) -> None:
    block = b"# BEGIN syncctl (made by `cron install`)\n*/5 * * * * /x api\n# END syncctl\n"
    crontab.content = OWN + block
    refused = program.run_on_terminal("cron", "remove", typed="n\n")
    assert (refused.status, crontab.content) == (1, OWN + block)
    assert "-*/5 * * * * /x api" in refused.stdout
    assert refused.stdout.count("'s crontab? [y/N]") == 1
    assert program.run_on_terminal("cron", "remove", "--yes").status == 0
    assert crontab.content == OWN


def test_a_dry_run_shows_the_difference_and_changes_nothing(program: Program, crontab: FakeCrontab) -> None:
    crontab.content = OWN
    ended = program.run("cron", "install", "--dry-run")
    assert ended.status == 0
    assert "\n 17 2 * * * echo 50\\%\n+# BEGIN syncctl" in ended.stdout
    assert crontab.content == OWN
    assert not (program.folder / "data").exists()
    shown = program.run_on_terminal("cron", "install", "--dry-run", columns=60)
    assert "BEGIN syncctl" in shown.stdout


@pytest.mark.slow
def test_show_says_whether_it_is_in_step(program: Program, crontab: FakeCrontab) -> None:
    before = program.run("cron", "show")
    assert before.status == 0
    assert before.stdout.splitlines()[1].startswith("*/7 * * * * /")
    assert "Not installed" in before.stderr
    program.run("cron", "install")
    document = json.loads(program.run("cron", "show", "--json").stdout)
    assert (document["installed"], document["in_step"], document["problem"]) == (True, True, None)
    assert document["block"].encode() == crontab.content.rstrip(b"\n")
    changed = program.run("cron", "show", API_SYNC_TIME="0 * * * *")
    assert "out of step" in changed.stderr
    assert "*/7 * * * *" in changed.stderr


def test_the_line_runs_the_program(program: Program, crontab: FakeCrontab) -> None:
    program.write_env(DATABASE_URL="sqlite:///.env/x.db", API_SYNC_TIME='"* * * * *"')
    assert program.run("cron", "install").status == 0
    line = next(line for line in os.fsdecode(crontab.content).splitlines() if line.startswith("* "))
    command = line.removeprefix("* * * * * ")
    status = os.waitstatus_to_exitcode(os.system(command))  # noqa: S605 - as cron does
    assert status == 69
    output = (program.folder / "data" / "cron.log").read_text(encoding="utf-8")
    assert ".env/x.db" in output


def test_what_a_person_should_know_first(program: Program, crontab: FakeCrontab) -> None:
    crontab.content = b"*/5 * * * * cd /app && npm run sync:api\n"
    program.write_env(API_SYNC_TIME='"0 9 * * *"', API_SYNC_TIMEZONE="Pacific/Marquesas")
    ended = program.run("cron", "install", API_TOKEN="hush-hush", API_SYNC_ENABLED="false")
    assert ended.status == 0
    assert "npm run sync:api" in ended.stderr
    assert "API_SYNC_ENABLED, API_TOKEN" in ended.stderr
    assert "hush-hush" not in ended.output
    assert "API_SYNC_ENABLED=false" in ended.stderr
    assert "Pacific/Marquesas" in ended.stderr
    assert "--systemd" in ended.stderr


@pytest.mark.slow
def test_what_stands_above_the_block(program: Program, crontab: FakeCrontab) -> None:
    crontab.content = b"SHELL=/no/shell\nAPI_TOKEN=hush-hush\n"
    ended = program.run("cron", "install")
    assert ended.status == 0
    assert (
        "Warning: above the block, the crontab has SHELL=/no/shell: there is no such program" in ended.stderr
    )
    shown = program.run("cron", "show")
    assert (
        "Above the line, the crontab has API_TOKEN=…: its runs use that, whatever .env says." in shown.stderr
    )
    document = json.loads(program.run("cron", "show", "--json").stdout)
    assert [each.partition("=")[0] for each in document["obstacles"]] == ["SHELL", "API_TOKEN"]
    assert "hush-hush" not in ended.output + shown.output
    for command in ("doctor", "verify sync"):
        assert "above the line, the crontab has SHELL=/no/shell" in program.run(*command.split()).output


@pytest.mark.slow
def test_while_paused_no_first_run_is_promised(program: Program) -> None:
    ended = program.run("cron", "install", "-q", API_SYNC_ENABLED="false")
    assert ended.status == 0
    assert "The sync won't start by itself: it is paused (API_SYNC_ENABLED=false)." in ended.stderr
    assert "First run" not in ended.stderr


@pytest.mark.slow
def test_what_runs_nightly(program: Program, crontab: FakeCrontab) -> None:
    crontab.content = OWN
    nightly = ("--nightly-full", "02:17", "--nightly-verify", "3:30")
    installed = program.run("cron", "install", *nightly)
    assert "Nightly times are by this machine's clock (" in installed.stderr
    block = crontab.content.removeprefix(OWN).decode().splitlines()
    assert [line.split(" /")[0] for line in block[1:-1]] == ["*/7 * * * *", "17 2 * * *", "30 3 * * *"]
    # Neither `cron show` nor systemd's units forget them.
    document = json.loads(program.run("cron", "show", "--json").stdout)
    assert (document["in_step"], document["block"].splitlines()) == (True, block)
    units = json.loads(program.run("cron", "show", "--systemd", "--json").stdout)["units"]
    assert "OnCalendar=*-*-* 02:17:00\n" in units["/etc/systemd/system/syncctl-full.timer"]
    assert "/etc/systemd/system/syncctl-verify.service" in units
    # Nor does the way to update it.
    out_of_step = program.run("cron", "show", API_SYNC_TIME="0 * * * *", API_SYNC_ENABLED="false").stderr
    assert "`syncctl cron install --nightly-full 02:17 --nightly-verify 03:30` updates it." in out_of_step
    assert "it is paused (API_SYNC_ENABLED=false)" in out_of_step
    again = program.run("cron", "install", *nightly[:2])
    assert (
        "`verify data`, which ran at 30 3 * * *, ends now: to keep it, say --nightly-verify HH:MM"
        in again.stderr
    )
    assert b"verify data" not in crontab.content
    wrong = program.run("cron", "install", "--nightly-full", "2am")
    assert (wrong.status, "write HH:MM" in wrong.stderr) == (2, True)


def test_a_block_of_other_settings_is_replaced_and_told(program: Program, crontab: FakeCrontab) -> None:
    program.run("cron", "install")
    other = program.folder / "other.env"
    other.write_text("API_SYNC_TIME=0 * * * *\n", encoding="utf-8")
    ended = program.run("cron", "install", "--env-file", "other.env")
    assert f"the block was for {program.folder}/.env" in ended.stderr
    assert crontab.content.count(b"BEGIN syncctl") == 1
    assert b"other.env" in crontab.content


def test_the_systemd_pair(program: Program, crontab: FakeCrontab) -> None:
    for command in ("install", "show"):
        ended = program.run("cron", command, "--systemd")
        assert ended.status == 0
        assert ended.stdout.startswith("# /etc/systemd/system/syncctl.service\n[Unit]\n")
        assert "\n\n# /etc/systemd/system/syncctl.timer\n[Unit]\n" in ended.stdout
        assert "systemctl enable --now syncctl.timer" in ended.stderr
    assert crontab.content == b""
    units = json.loads(program.run("cron", "show", "--systemd", "--json").stdout)["units"]
    assert "OnCalendar=" in units["/etc/systemd/system/syncctl.timer"]


@pytest.mark.slow
def test_a_timer_counts_as_installed(program: Program) -> None:
    nightly = ("--nightly-full", "02:17")
    units = json.loads(program.run("cron", "show", "--systemd", *nightly, "--json").stdout)["units"]
    folder = program.folder / ".config" / "systemd" / "user"
    (folder / "timers.target.wants").mkdir(parents=True)
    for name in ("syncctl.timer", "syncctl-full.timer"):
        (folder / name).write_text(units[f"/etc/systemd/system/{name}"], encoding="utf-8")
    shown = program.run("cron", "show")
    assert "which is not enabled. `systemctl --user enable --now syncctl.timer` enables it." in shown.stderr
    assert "--full" not in shown.stdout
    for name in ("syncctl.timer", "syncctl-full.timer"):
        (folder / "timers.target.wants" / name).symlink_to(folder / name)
    document = json.loads(program.run("cron", "show", "--json").stdout)
    assert (document["installed"], document["in_step"]) == (True, True)
    assert "systemd timer" in document["found"]
    # `cron show` doesn't forget what runs nightly, either.
    assert [line.split(" /")[0] for line in document["block"].splitlines()[2:-1]] == ["17 2 * * *"]
    assert json.loads(program.run("cron", "show", "--systemd", "--json").stdout)["units"] == units
    warned = program.run("cron", "install", *nightly).stderr
    assert "runs `api` as well: systemctl --user disable --now syncctl.timer" in warned
    assert "runs `api --full` as well: systemctl --user disable --now syncctl-full.timer" in warned


@pytest.mark.slow
def test_the_old_systems_line_is_wrong_until_it_is_taken_out(program: Program, crontab: FakeCrontab) -> None:
    old = b"*/10 * * * * cd /app && npm run sync:api\n"
    crontab.content = old
    assert json.loads(program.run("cron", "show", "--json").stdout)["installed"] is False
    program.run("cron", "install")
    said = (
        "FAILED\tOld system's sync: the crontab still runs it: */10 * * * * cd /app && npm run sync:api -> "
    )
    for command in (("verify", "sync"), ("doctor",)):
        shown = program.run(*command, API_BASE_URL="http://127.0.0.1:9").stdout
        (line,) = (line for line in shown.splitlines() if "Old system's" in line)
        assert line.startswith(said)
    assert "npm run sync:api" in program.run("cron", "install", "--systemd").stderr
    crontab.content = crontab.content.removeprefix(old)
    assert "Old system's" not in program.run("verify", "sync").stdout


@pytest.mark.slow
def test_a_scheduled_import_is_wrong(program: Program, crontab: FakeCrontab) -> None:
    program.run("cron", "install")
    assert "Scheduled import" not in program.run("verify", "sync").stdout
    crontab.content += b"0 2 * * * cd /app && npm run sync:all\n"
    folder = program.folder / ".config" / "systemd" / "user"
    (folder / "timers.target.wants").mkdir(parents=True)
    (folder / "files.timer").write_text("[Timer]\nOnCalendar=daily\n", encoding="utf-8")
    (folder / "files.service").write_text("ExecStart=/opt/syncctl import walkin /srv", encoding="utf-8")
    (folder / "timers.target.wants" / "files.timer").symlink_to(folder / "files.timer")
    for command in (("verify", "sync"), ("doctor",)):
        ended = program.run(*command, API_BASE_URL="http://127.0.0.1:9")
        assert ended.status == 1
        line, timer = (line for line in ended.stdout.splitlines() if "Scheduled import" in line)
        assert line.startswith("FAILED\tScheduled import: ")
        assert "runs `sync:all`: 0 2 * * * cd /app && npm run sync:all -> " in line
        assert "files.timer runs `syncctl import walkin`" in timer
        assert "`systemctl --user disable --now files.timer`" in timer
    # A damaged block, or a setting that cron can't have, hides nothing.
    crontab.content += b"# BEGIN syncctl\n"
    assert program.run("verify", "sync", API_SYNC_TIME="0 0 L * *").stdout.count("Scheduled import") == 2


@pytest.mark.slow
def test_without_crontab_or_leave_to_use_it(program: Program, crontab: FakeCrontab) -> None:
    crontab.deny()
    for command in ("install", "remove"):
        ended = program.run("cron", command)
        assert ended.status == 78
        assert "not allowed" in ended.stderr
    assert "not allowed" in program.run("cron", "show").stderr
    for command in ("install", "remove"):
        ended = program.run("cron", command, PATH=str(program.folder))
        assert ended.status == 69
        assert "crontab is not on this machine" in ended.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [("DATA_DIR=100%", "percent sign"), ("API_SYNC_TIME=0 0 L * *", "cron supports neither L")],
)
def test_what_cron_can_not_be_told(program: Program, crontab: FakeCrontab, setting: str, said: str) -> None:
    name, _, value = setting.partition("=")
    ended = program.run("cron", "install", **{name: value})
    assert ended.status == 78
    assert said in ended.stderr
    assert crontab.content == b""


def test_a_settings_file_that_does_not_stay(program: Program) -> None:
    ended = program.run("cron", "install", "--env-file", "/dev/null")
    assert ended.status == 2
    assert "/dev/null" in ended.stderr


def test_without_any_settings_file_it_changes_into_the_folder(tmp_path: Path, crontab: FakeCrontab) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    program = Program(folder)
    (folder / ".env").unlink()
    program.environment["PATH"] = crontab.path
    assert program.run("cron", "install").status == 0
    assert f"cd {folder} && ".encode() in crontab.content


def test_remove_works_though_settings_are_wrong(program: Program, crontab: FakeCrontab) -> None:
    program.run("cron", "install")
    assert program.run("cron", "remove", API_MAX_TRIES="none").status == 0
    assert crontab.content == b""


def test_how_the_program_is_started(tmp_path: Path) -> None:
    python = str(tmp_path / "bin" / "python")
    assert program_words("/x/syncctl/__main__.py", python) == (python, "-m", "syncctl")
    beside = tmp_path / "bin" / "syncctl"
    beside.parent.mkdir()
    beside.touch()
    assert program_words("syncctl", python) == (python, "-m", "syncctl")
    beside.chmod(0o755)
    assert program_words("syncctl", python) == (str(beside),)
    link = tmp_path / "syncctl"
    link.symlink_to(beside)
    assert program_words(str(link), sys.executable) == (str(link),)
