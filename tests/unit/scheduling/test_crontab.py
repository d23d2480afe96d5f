"""The adapter of crontab(1), against a program that behaves as Debian's."""

import re
from pathlib import Path

import pytest

from syncctl.errors import AbortError, ServiceUnavailableError, SettingsError
from syncctl.scheduling.crontab import read_crontab, write_crontab
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
