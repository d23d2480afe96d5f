"""Which crontab lines and systemd timers import files by themselves."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.scheduling.crontab import block
from syncctl.scheduling.scheduled_imports import import_in, scheduled_imports, timer_imports


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("syncctl all", "syncctl all"),
        ("/opt/venv/bin/syncctl all >> /var/log/x 2>&1", "syncctl all"),
        ("'/opt/my venv/bin/syncctl' all", "syncctl all"),
        ("syncctl --env-file /opt/.env all", "syncctl all"),
        ("syncctl -q --env-file=/opt/.env -v all", "syncctl all"),
        ("syncctl --env-file all import walkin x", "syncctl import walkin"),
        ("syncctl import walkin /srv/files", "syncctl import walkin"),
        ("syncctl import --env-file x lossofsale /srv/files", "syncctl import lossofsale"),
        ("syncctl sync:all", "syncctl sync:all"),
        ("syncctl import:walkin a.csv", "syncctl import:walkin"),
        ("syncctl import:all:lossofsale", "syncctl import:all:lossofsale"),
        ("python -m syncctl all", "syncctl all"),
        ("/usr/bin/python3.11 -m syncctl --env-file X import walkin Y", "syncctl import walkin"),
        ("cd /opt/syncctl && ./syncctl all", "syncctl all"),
        ("cd /opt;syncctl all&", "syncctl all"),
        ("(cd /opt && syncctl all)", "syncctl all"),
        ("API_TOKEN=x TZ=UTC nice -n 5 timeout 600 syncctl all", "syncctl all"),
        ("flock -n /tmp/syncctl.lock syncctl all", "syncctl all"),
        ("syncctl api && syncctl import walkin /srv", "syncctl import walkin"),
        ("syncctl api; echo done | tee x; syncctl all", "syncctl all"),
        ("sh -c 'cd /opt && syncctl all'", "syncctl all"),
        ('su - ops -c "syncctl all --wait 60"', "syncctl all"),
        ("docker exec sync syncctl all", "syncctl all"),
        ("cd /app && npm run sync:all", "sync:all"),
        ("npm --prefix /app run import:walkin -- /srv/files", "import:walkin"),
        ("yarn import:all:walkin", "import:all:walkin"),
        ("syncctl all%standard input", "syncctl all"),
        ("syncctl all 'no end", "syncctl all"),
        ("syncctl all\r", "syncctl all"),
        ("syncctl all # at night", "syncctl all"),
    ],
)
def test_commands_that_import(command: str, found: str) -> None:
    assert import_in(command) == found


@pytest.mark.parametrize(
    "command",
    [
        "syncctl api",
        "syncctl api --location all",
        "syncctl api --env-file /opt/all",
        "syncctl --env-file all api",
        "syncctl api # not all",
        "syncctl api %syncctl all",
        "syncctl api >> /opt/syncctl all.log",
        "syncctl api && echo all",
        "echo syncctl all; syncctl api",
        "logger 'syncctl all'",
        "pgrep -f 'syncctl all'",
        "grep -c 'syncctl all' /var/log/x",
        "npm run sync:api",
        "syncctl sync:api",
        "syncctl all --dry-run",
        "syncctl import walkin x -n",
        "syncctl import walkin x --preview=y.csv",
        "syncctl import columns x.csv",
        "syncctl import undo 4711",
        "syncctl import",
        "syncctl help all",
        "syncctl explain all",
        "syncctl -h all",
        "syncctl -h import:walkin",
        "syncctl explain import:walkin",
        "syncctl",
        "syncctl --env-file",
        "cd /opt/syncctl",
        "/opt/syncctl-all/run",
        "rsync -a /opt/syncctl/ all",
        "make all",
        "",
    ],
)
def test_commands_that_import_nothing(command: str) -> None:
    assert import_in(command) == ""


@given(st.text(max_size=80))
def test_any_command_can_be_read(command: str) -> None:
    assert isinstance(import_in(command), str)
    assert isinstance(import_in(f"sh -c {command} syncctl"), str)


API = b"*/5 * * * * syncctl api\n"


@pytest.mark.parametrize(
    ("crontab", "lines"),
    [
        (b"", []),
        (API, []),
        (API + b"# 0 2 * * * syncctl all\n  #@daily syncctl all\n", []),
        (b"SYNC=syncctl all\n" + API, []),
        (API + b"0 2 * * *  syncctl all\n", ["0 2 * * * syncctl all"]),
        (block(b"*/5 * * * * syncctl all") + API, ["*/5 * * * * syncctl all"]),
        (
            b"@daily npm run import:walkin\n" + block(API.rstrip()) + b"7 * * * * syncctl all",
            ["@daily npm run import:walkin", "7 * * * * syncctl all"],
        ),
        # What `cron install` refuses to touch is seen all the same.
        (b"# BEGIN syncctl\n7 * * * * syncctl all\n", ["7 * * * * syncctl all"]),
    ],
)
def test_lines_of_a_crontab(crontab: bytes, lines: list[str]) -> None:
    found = list(scheduled_imports(crontab, "clerk"))
    assert [each.line for each in found] == lines
    assert {each.place for each in found} <= {"clerk's crontab"}
    assert {each.remove for each in found} <= {"crontab -e"}


def unit(folder: Path, name: str, *, timer: str = "", service: str = "", wants: str = "timers") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.timer").write_text(f"[Timer]\nOnCalendar=hourly\n{timer}", encoding="utf-8")
    (folder / f"{name}.service").write_text(f"[Service]\n{service}", encoding="utf-8")
    if wants:
        (folder / f"{wants}.target.wants").mkdir(exist_ok=True)
        (folder / f"{wants}.target.wants" / f"{name}.timer").symlink_to(folder / f"{name}.timer")


def test_timers_of_this_user(tmp_path: Path) -> None:
    system, own = tmp_path / "system", tmp_path / "own"
    unit(system, "ours", service="User=clerk\nExecStart=-/opt/syncctl all\n")
    unit(system, "another", service="User=ops\nExecStart=/opt/syncctl all\n")
    unit(system, "root", service="ExecStart=/opt/syncctl all\n")
    unit(
        own, "own", service='ExecStart=@/bin/sh sh -c "cd /opt && \\\n  syncctl import walkin x"\n', wants="x"
    )
    unit(own, "named", timer="Unit=own.service\n", wants="default")
    unit(own, "off", service="ExecStart=/opt/syncctl all\n", wants="")
    unit(own, "api", service="# ExecStart=syncctl all\nExecStart=/opt/syncctl api\n")
    unit(own, "reset", service="ExecStart=/opt/syncctl all\nExecStart=\nExecStart=/opt/syncctl api\n")
    (own / "gone.timer").symlink_to(own / "nowhere")
    found = {each.place: each for each in timer_imports(system, own, "clerk")}
    assert {place.rpartition("/")[2] for place in found} == {"ours.timer", "own.timer", "named.timer"}
    ours = found[f"the systemd timer {system}/ours.timer"]
    assert (ours.command, ours.line) == ("syncctl all", "/opt/syncctl all")
    assert ours.remove == "systemctl disable --now ours.timer"
    named = found[f"the systemd timer {own}/named.timer"]
    assert (named.command, named.remove) == (
        "syncctl import walkin",
        "systemctl --user disable --now named.timer",
    )
    (of_root,) = timer_imports(system, tmp_path / "none", "root")
    assert of_root.place.endswith("/root.timer")
