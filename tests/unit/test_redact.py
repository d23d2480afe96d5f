"""No secret and no phone number gets through; what only looks like one does."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.redact import Redactor, mask_phone

redact = Redactor()

digits = st.text("0123456789", min_size=10, max_size=10)
# Neither digits nor the letters of a hash, which would make another number or an id of the phone beside them.
surroundings = st.text(string.punctuation.translate({ord(c): None for c in "+-.()"}) + "ghijk xyz\n")


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("9048780011", "90xxxxxx11"),
        ("+91 90487 80011", "90xxxxxx11"),
        ("0487800", "xxxxxxx"),
        ("04878001", "04xxxx01"),
        ("", ""),
    ],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    "phone",
    [
        "9048780011",
        "0048780011",
        "90487 80011",
        "90487-80011",
        "919048780011",
        "+919048780011",
        "+91 90487 80011",
        "+91-9048-780-011",
        "+91 (904) 878.0011",
        "+91 9 0 4 8 7 8 0 0 1 1",
        "+91\u00a090487\u00a080011",
        "00919048780011",
        "0091 90487 80011",
        "91 90487 80011",
        "09048780011",
        "0 90487-80011",
        "0 904 878 0011",
    ],
)
@pytest.mark.parametrize(
    "line",
    ["{}", "phone {}: no name", "phone={}", "['{}']", "{}.0", "21 {}", "2026-11-23 {}", "{} 2026-11-23"],
)
def test_phones_are_masked(phone: str, line: str) -> None:
    shown = redact(line.format(phone))
    assert "xxxxxx11" in shown
    assert "8780" not in "".join(character for character in shown if character.isdigit())


@pytest.mark.parametrize(
    "text",
    [
        "booking 2025020100100001 has no phone",
        "lead 65f0904878001165f0904878",
        "lead_65f0904878001165f0904878",
        "run 0190487800114cb0a12b904878001123",
        "run 01904878-1234-4cb0-812b-919048780011",
        "2026-11-23T16:00:00Z INFO  Starting automatic API sync at 2026-11-23 16:00:00.123456",
        "from 2025-11-23 to 2026-11-23, 23-11-2026",
        "Total errors: 0 2026-11-23 16:00:00",
        "at 20261123160000, 1764000000000 ms",
        "Locations processed: 21/21, rows 7400, 123456789 bytes",
        "0 0 0 0 0 0 0 0 0 0 0 0 0",
    ],
)
def test_what_is_no_phone_stays(text: str) -> None:
    assert redact(text) == text


@settings(deadline=None)
@given(phone=digits, before=surroundings, after=surroundings)
def test_no_phone_gets_through(phone: str, before: str, after: str) -> None:
    assert phone not in redact(f"{before}{phone}{after}")


@settings(deadline=None)
@given(
    prefix=st.sampled_from(["+91", "0091", "91", "0"]),
    phone=digits,
    cut=st.integers(2, 8),
    separator=st.sampled_from(["", " ", "-"]),
    around=surroundings,
)
def test_no_phone_with_a_prefix_gets_through(
    prefix: str, phone: str, cut: int, separator: str, around: str
) -> None:
    written = f"{prefix}{separator}{phone[:cut]}{separator}{phone[cut:]}"
    shown = redact(f"{around}{written}{around}")
    assert written not in shown
    assert f"{phone[:cut]}{separator}{phone[cut:]}" not in shown


# "*" and "x" are what masks are made of.
secrets = st.text(st.characters(exclude_characters="*x", exclude_categories=["Cs"]), min_size=4, max_size=40)


@settings(deadline=None)
@given(secret=secrets, other=secrets, before=st.text(), after=st.text())
def test_no_secret_gets_through(secret: str, other: str, before: str, after: str) -> None:
    shown = Redactor([secret, other])(f"{before}{secret}{after} {other} {quote(secret, safe='')}")
    assert secret not in shown
    assert other not in shown


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("p/w d@1", "p%2Fw%20d%401"),
        ("p/w d@1", "p/w%20d%401"),
        ("p/w d@1", "p%2Fw+d%401"),
        ('quo"te', r'{"key": "quo\"te"}'),
        (r"back\slash", repr(r"back\slash")),
    ],
)
def test_encoded_secrets_are_found(secret: str, written: str) -> None:
    shown = Redactor([secret])(f"key {written}!")
    assert "***" in shown
    assert written not in shown


def test_of_a_secret_that_contains_another_no_rest_is_left() -> None:
    assert Redactor(["token", "token-with-a-tail"])("key token-with-a-tail, token") == "key ***, ***"


def test_short_secrets_do_not_garble_the_text() -> None:
    assert Redactor(["a", "", "abc"])("an abc of a") == "an abc of a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mongodb://app:p@ss@db1:27017,db2/leads", "mongodb://***@db1:27017,db2/leads"),
        ("see https://user@host/x and mail a@b", "see https://***@host/x and mail a@b"),
        ("http://host/?mail=a@b", "http://host/?mail=a@b"),
        ("Authorization: Bearer abc.def-1==, next", "Authorization: Bearer ***, next"),
        ("'authorization': 'bearer abc'", "'authorization': 'bearer ***'"),
    ],
)
def test_credentials(text: str, shown: str) -> None:
    assert redact(text) == shown
