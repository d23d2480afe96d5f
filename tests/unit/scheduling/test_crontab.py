"""The adapter of crontab(1), against a program that behaves as Debian's."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.errors import AbortError, ServiceUnavailableError, SettingsError
from syncctl.scheduling.crontab import (
    block,
    difference,
    parse_crontab,
    read_crontab,
    with_block,
    without_block,
    write_crontab,
)
from syncctl.scheduling.crontab_line import FULL, VERIFY
from tests.support.crontab import FakeCrontab

ODD = b"MAILTO=\xe9\r\n\n5 * * * * echo 50\\%\n"


@pytest.fixture
def crontab(tmp_path: Path) -> FakeCrontab:
    return FakeCrontab(tmp_path / "bin")


def test_none_yet_is_an_empty_one(crontab: FakeCrontab) -> None:
    assert read_crontab({"PATH": crontab.path}) == b""


def test_bytes_go_in_and_out_as_they_are(crontab: FakeCrontab) -> None:
    write_crontab(ODD, b"", {"PATH": crontab.path})
    assert crontab.content == ODD
    assert read_crontab({"PATH": crontab.path}) == ODD


def test_where_there_is_no_such_program(tmp_path: Path) -> None:
    for use in (read_crontab, lambda environ: write_crontab(b"x\n", b"", environ)):
        with pytest.raises(ServiceUnavailableError, match=r"Install cron .* --systemd"):
            use({"PATH": str(tmp_path)})


def test_a_user_who_may_not(crontab: FakeCrontab) -> None:
    crontab.deny()
    with pytest.raises(SettingsError, match=r"You \(clerk\) are not allowed .*/etc/cron\.allow"):
        read_crontab({"PATH": crontab.path})


def test_one_that_it_does_not_take(crontab: FakeCrontab) -> None:
    crontab.content = ODD
    with pytest.raises(SettingsError, match="missing newline before EOF"):
        write_crontab(b"no end", ODD, {"PATH": crontab.path})
    assert crontab.content == ODD


def test_one_that_was_changed_meanwhile_is_left_alone(crontab: FakeCrontab) -> None:
    crontab.content = ODD
    with pytest.raises(AbortError, match="nothing was written"):
        write_crontab(b"x\n", b"what was read before\n", {"PATH": crontab.path})
    assert crontab.content == ODD


def test_what_is_lost_on_the_way_is_kept(crontab: FakeCrontab) -> None:
    crontab.content = ODD
    crontab.garble()
    with pytest.raises(AbortError) as caught:
        write_crontab(b"x\n", ODD, {"PATH": crontab.path})
    found = re.search(r"compare `crontab -l` with (\S+),", str(caught.value))
    assert found
    kept = Path(found[1])
    try:
        assert kept.read_bytes() == ODD
        assert kept.stat().st_mode & 0o077 == 0
    finally:
        kept.unlink()


LINE = b"*/5 * * * * /opt/syncctl api >> /var/log/x 2>&1"
OTHER = b"17 2 * * * /opt/backup\n"

crontabs = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from([b"# a\n", b"\r\n", b"\n", b"X=1\r\n", b"\xff\xfe\x00", b"5 * * * * x\n"])).map(
        b"".join
    ),
).filter(lambda content: b"syncctl" not in content)


@given(crontabs)
def test_taken_out_again_nothing_has_changed(content: bytes) -> None:
    assert without_block(with_block(content, LINE)) == content


@given(crontabs, crontabs)
def test_around_the_block_nothing_changes(before: bytes, after: bytes) -> None:
    content = with_block(before, LINE) + after
    changed = with_block(content, b"0 * * * * other")
    found = parse_crontab(changed)
    assert b"0 * * * * other" in found.block
    assert content == found.before + parse_crontab(content).block + found.after
    assert found.after == after
    assert with_block(changed, b"0 * * * * other") == changed


def test_a_line_end_is_added_where_there_is_none_and_kept_where_it_is_needed() -> None:
    content = with_block(b"5 * * * * x", LINE)
    assert content.startswith(b"5 * * * * x\n# BEGIN syncctl (")
    assert without_block(content) == b"5 * * * * x"
    assert without_block(with_block(content, b"1 * * * * y")) == b"5 * * * * x"
    assert without_block(content + OTHER) == b"5 * * * * x\n" + OTHER


def test_what_runs_nightly_stands_below_the_sync_and_is_replaced_with_it() -> None:
    full, verify = (
        b"17 2 * * * /opt/syncctl api --full --wait 600 >> x",
        b"30 3 * * * /opt/syncctl verify data",
    )
    content = with_block(OTHER, LINE, full, verify)
    found = parse_crontab(content)
    assert found.line is not None
    assert (found.line.schedule, found.others) == ("*/5 * * * *", ())
    assert found.nightly == {FULL: "17 2 * * *", VERIFY: "30 3 * * *"}
    assert with_block(content, LINE) == with_block(OTHER, LINE)
    assert without_block(content) == OTHER


def test_without_a_block_there_is_nothing_to_take_out() -> None:
    assert without_block(OTHER) == OTHER
    assert parse_crontab(OTHER).line is None


@pytest.mark.parametrize(
    "content",
    [
        block(LINE).replace(b"# END", b"# DNE"),
        block(LINE).replace(b"# BEGIN", b"# GEBIN"),
        block(LINE) * 2,
        b"# END syncctl\n# BEGIN syncctl\n",
    ],
)
def test_marks_that_do_not_fit_together_are_left_to_a_person(content: bytes) -> None:
    for change in (without_block, lambda text: with_block(text, LINE)):
        with pytest.raises(SettingsError, match="crontab -e"):
            change(content)


def test_an_editor_that_made_it_crlf_still_leaves_a_block() -> None:
    content = with_block(OTHER, LINE).replace(b"\n", b"\r\n")
    assert without_block(content) == OTHER.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"*/5 * * * * syncctl api", True),
        (b"@hourly /opt/venv/bin/syncctl --env-file /x/.env -q api >> log", True),
        (b"*/5 * * * * cd /app && npm run sync:api", True),
        (b"*/5 * * * * syncctl sync:all", True),
        (b"0 * * * * /opt/python -m syncctl booking", True),
        (b"*/5 * * * * '/opt/a b/syncctl' api", True),
        (b"*/5 * * * * node /app/server/scripts/syncReturn.js", True),
        (b"17 2 * * * syncctl api --full --wait 240", False),
        (b"0 8 * * * syncctl status --json", False),
        (b"0 8 * * * syncctl verify sync", False),
        (b"0 8 * * * syncctl cleanup duplicates", False),
        (b"#*/5 * * * * syncctl api", False),
        (b"MAILTO=syncctl a b c d api", False),
        (b"*/5 * * * * rsync -a /syncctl /backup", False),
    ],
)
def test_other_lines_that_run_a_sync(line: bytes, found: bool) -> None:
    crontab = parse_crontab(with_block(line, LINE) + OTHER)
    assert bool(crontab.others) is found


@given(crontabs, crontabs)
def test_the_difference_is_one_that_patch_could_apply(before: bytes, after: bytes) -> None:
    lines = list(difference(before, after))
    assert bool(lines) is (before != after)
    kept = [line[1:] for line in lines[2:] if line.startswith((" ", "+"))]
    assert len(kept) <= after.count(b"\n") + 1


def test_patch_applies_the_difference(tmp_path: Path) -> None:
    before, after = b"MAILTO=a\n5 * * * * x", with_block(b"MAILTO=a\n5 * * * * x", LINE)
    (tmp_path / "crontab").write_bytes(before)
    try:
        subprocess.run(
            ["patch", "-s", "crontab"],  # noqa: S607
            cwd=tmp_path,
            input="".join(f"{line}\n" for line in difference(before, after)).encode(),
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("patch(1) is not installed")
    assert (tmp_path / "crontab").read_bytes() == after
