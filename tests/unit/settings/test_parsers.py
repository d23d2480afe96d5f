"""The texts that a setting may have, and what they mean."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.errors import SettingsError
from syncctl.settings import parsers as values

HERE = Path("/srv/app")


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "Yes", "on"])
def test_true(text: str) -> None:
    assert values.boolean(text, HERE) is True


@pytest.mark.parametrize("text", ["false", "False", "0", "NO", "off"])
def test_false(text: str) -> None:
    assert values.boolean(text, HERE) is False


@pytest.mark.parametrize("text", ["2", "y", "enabled", "truee"])
def test_neither_true_nor_false(text: str) -> None:
    with pytest.raises(SettingsError, match=f'^"{text}" is neither true nor false$'):
        values.boolean(text, HERE)


def test_whole_numbers() -> None:
    parse = values.whole_number(1, 32)
    assert [parse(text, HERE) for text in ("1", "032")] == [1, 32]
    for text in ("0", "33", "-1", "+1", "1.0", "1e1", "1_0", "٣", "9" * 5000, "x"):
        with pytest.raises(SettingsError, match="is not a whole number from 1 to 32"):
            parse(text, HERE)


def test_decimal_numbers() -> None:
    parse = values.decimal_number(0, 60_000, per=1000)
    assert [parse(text, HERE) for text in ("0", "500", "0.5", "60000")] == [0, 0.5, 0.0005, 60]
    for text in ("-1", "60001", "nan", "inf", "1e3", "1_0", ".", "1.", "9" * 5000, "0x1"):
        with pytest.raises(SettingsError, match="is not a number from 0 to 60000"):
            parse(text, HERE)


def test_choices() -> None:
    parse = values.choice("text", "json")
    assert parse("JSON", HERE) == "json"
    with pytest.raises(SettingsError, match=r'^"xml" is not text or json$'):
        parse("xml", HERE)


def test_time_zones() -> None:
    assert values.time_zone("Asia/Kolkata", HERE).key == "Asia/Kolkata"
    for text in ("Kolkata", "America", "/etc/localtime", "../UTC", "a\0b", "\udc80", "zone.tab", "x" * 500):
        with pytest.raises(SettingsError, match="is not a time zone such as Asia/Kolkata"):
            values.time_zone(text, HERE)


def test_schedules() -> None:
    assert values.schedule("0 6 * JAN-MAR 1-5", HERE) == "0 6 * JAN-MAR 1-5"
    for text in ("hourly", "* * * *", "* * * * * *", "\u2003".join("*****"), "*/" + "9" * 5000 + " * * * *"):
        with pytest.raises(SettingsError, match="five fields"):
            values.schedule(text, HERE)


def test_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/app")
    assert values.path("a/b", HERE) == Path("/srv/app/a/b")
    assert values.path("/a/b", HERE) == Path("/a/b")
    assert values.path("~/b", HERE) == Path("/home/app/b")
    assert values.path("caf\udce9", HERE) == Path("/srv/app/caf\udce9")  # a file name that is no UTF-8
    for text in ("~no-such-user/x", "a\0b", "a\nb", "\ud800"):
        with pytest.raises(SettingsError):
            values.path(text, HERE)


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"]), min_size=1))
def test_keys(text: str) -> None:
    assert values.key(text, HERE) == text
    text.encode("latin-1")


@pytest.mark.parametrize(
    "text", ["s3c\nret", "s3c\x85ret", "s3cret\N{EM DASH}", "Bearer s3cret", "s3c\ud800ret"]
)
def test_texts_that_are_no_key_are_not_shown(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        values.key(text, HERE)
    assert "s3c" not in str(caught.value)


def test_long_and_odd_texts_in_messages() -> None:
    assert values.quoted("a\x1b\ud800") == r'"a\x1b\ud800"'
    assert values.quoted("x" * 100) == f'"{"x" * 60}..."'
