"""No secret and no phone number gets through; look-alikes do."""

import string
from datetime import datetime
from time import process_time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.safe_output.redact import Redactor, mask_phone, redacted

redact = Redactor()

digits = st.text("0123456789", min_size=10, max_size=10)
# Neither digits nor the letters of a hash, which would make another number or an id of the phone beside them.
surrounding_texts = st.text(string.punctuation.translate({ord(c): None for c in "+-.()"}) + "ghijk xyz\n")


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
@given(phone=digits, before=surrounding_texts, after=surrounding_texts)
def test_no_phone_gets_through(phone: str, before: str, after: str) -> None:
    assert phone not in redact(f"{before}{phone}{after}")


@settings(deadline=None)
@given(
    prefix=st.sampled_from(["+91", "0091", "91", "0"]),
    phone=digits,
    cut=st.integers(2, 8),
    separator=st.sampled_from(["", " ", "-"]),
    around=surrounding_texts,
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


ZEROS = "0\u0660\u06f0\u0966\u0d66\u0be6\u0c66\uff10\U0001d7ce"
"""The zero of ASCII, Arabic, Persian, Devanagari, Malayalam, Tamil and Telugu, full width, mathematics."""

SPACES = [" ", "\u00a0", "\u2009", "\u202f", "\u3000", "\t"]
HYPHENS = ["-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2212", "\uff0d"]
UNSEEN = [
    "",
    "\u200b",
    "\u200d",
    "\u2060" * 6,
    "\u202c",
    "\u00ad",
    "\x00",
    "\ufeff",
]


@pytest.mark.attack("secrets")
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("987 654 3210", "98xxxxxx10"),
        ("(987) 654-3210", "98xxxxxx10"),
        ("(987)654.3210", "98xxxxxx10"),
        ("98.765.43210", "98xxxxxx10"),
        ("9 8 7 6 5 4 3 2 1 0", "98xxxxxx10"),
        ("98-76-54-32-10", "98xxxxxx10"),
        ("(487) 242-1234", "48xxxxxx34"),
        ("0487 242 1234", "48xxxxxx34"),
        ("(+91) 90487 80011", "90xxxxxx11"),
        ("0919048780011", "90xxxxxx11"),
        ("+971501234567", "15xxxxxx67"),
        ("+971 50 123 4567", "15xxxxxx67"),
        ("+971.501234567", "15xxxxxx67"),
        ("00971 50 123 4567", "15xxxxxx67"),
        ("+1 (212) 555-1234", "21xxxxxx34"),
        ("+44 20 7946 0958", "20xxxxxx58"),
        ("\uff0b\uff19\uff11 90487 80011", "90xxxxxx11"),
        ("\uff08987\uff09654\uff0d3210", "98xxxxxx10"),
        ("9876543210/9876543211", "98xxxxxx10/98xxxxxx11"),
        ("9048780011, 90487 80012", "90xxxxxx11, 90xxxxxx12"),
    ],
)
def test_ways_to_write_a_number(written: str, shown: str) -> None:
    assert redact(f"call {written}!") == f"call {shown}!"
    assert redact(f"21 {written}, 2026-11-23") == f"21 {shown}, 2026-11-23"


@pytest.mark.attack("secrets")
@settings(deadline=None)
@given(
    phone=st.from_regex(r"[6-9][0-9]{9}", fullmatch=True),
    zero=st.sampled_from(ZEROS),
    cuts=st.sets(st.integers(1, 9), max_size=3),
    separator=st.sampled_from([*SPACES, *HYPHENS]),
    unseen=st.sampled_from(UNSEEN),
)
def test_no_script_and_no_separator_hides_a_number(
    phone: str, zero: str, cuts: set[int], separator: str, unseen: str
) -> None:
    digits_in_script = [chr(ord(zero) + int(digit)) for digit in phone]
    written = unseen.join(
        separator + digit if place in cuts else digit for place, digit in enumerate(digits_in_script)
    )
    assert redact(f"no store for {written}: rejected") == f"no store for {mask_phone(phone)}: rejected"
    assert mask_phone(written) == mask_phone(phone)


@pytest.mark.attack("secrets")
@settings(deadline=None)
@given(
    phone=st.from_regex(r"[1-9][0-9]{8,12}", fullmatch=True),
    cut=st.integers(1, 6),
    separator=st.sampled_from(["", " ", "-", "."]),
)
def test_no_number_from_abroad_gets_through(phone: str, cut: int, separator: str) -> None:
    written = f"+{phone[:cut]}{separator}{phone[cut:]}"
    assert written[-6:] not in redact(f"call {written}!")


moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31))  # noqa: DTZ001 - as written
no_phones = st.one_of(
    moments.map(lambda moment: moment.isoformat()),
    moments.map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z"),
    moments.map(lambda moment: f"{moment.isoformat(' ')}+05:30"),
    moments.map(lambda moment: f"{moment:%d-%m-%Y}"),
    moments.map(lambda moment: f"{moment:%d.%m.%Y %H:%M:%S}"),
    moments.map(lambda moment: f"{moment:%Y%m%dT%H%M%SZ}"),
    moments.map(lambda moment: f"{moment:%Y%m%d%H%M%S}"),
    st.from_regex(r"[0-9a-f]{24}", fullmatch=True),
    st.uuids().map(str),
    st.from_regex(r"20[0-9]{14}", fullmatch=True),  # a booking number
    st.integers(0, 999_999_999).map(str),  # a count
    st.integers(0, 999_999_999).map(lambda count: f"{count:,}"),
    st.decimals(0, 99_999_999, places=2).map(str),  # money
    st.decimals(0, 99_999_999, places=2).map(lambda amount: f"Rs {amount:,}"),
    st.ip_addresses(v=4).map(str),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(parts=st.lists(no_phones, min_size=1, max_size=4))
def test_times_ids_booking_numbers_money_and_counts_stay(parts: list[str]) -> None:
    text = ", ".join(parts)
    assert redact(text) == text


@settings(deadline=None)
@given(moment=moments, count=st.integers(0, 99_999), booking=st.from_regex(r"20[0-9]{14}", fullmatch=True))
def test_a_line_of_the_log_stays(moment: datetime, count: int, booking: str) -> None:
    text = (
        f"{moment.isoformat(timespec='seconds')}Z INFO  {count} 2026-11-23 {booking} rows {count} of {count}"
    )
    assert redact(text) == text


@pytest.mark.attack("secrets")
def test_names_of_fields_are_numbers_too() -> None:
    row = {"9048780011": {"90487 80011": "9048780011"}, "9048780111": [9048780011, 9048780011.0, True, 5]}
    shown = redacted(row, redact, numbers=True)
    assert shown == {
        "90xxxxxx11": {"90xxxxxx11": "90xxxxxx11"},
        "90xxxxxx11 (2)": ["90xxxxxx11", "90xxxxxx11.0", True, 5],
    }


@pytest.mark.slow
@pytest.mark.attack("secrets")
def test_many_digits_take_no_longer_than_their_length() -> None:
    begun = process_time()
    for text in ("9 " * 100_000, "98765" * 40_000, "+" * 200_000, "9\u200b" * 100_000, "1-" * 100_000):
        redact(text)
    assert process_time() - begun < 10
