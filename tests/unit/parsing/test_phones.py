"""The phone number that a cell or field means: combinations of what people write, and what is none."""

import re
from datetime import UTC
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.errors import InvalidRowError
from syncctl.mapping.api_rows import RowDates, report_values
from syncctl.mapping.file_rows import file_record
from syncctl.parsing.phones import former_phones, phone_number, why_no_phone

FIRST, SECOND = "9846012345", "9123456780"
STORE = "Suitor Guy - Calicut"

# How one number is written: every form means the same ten digits.
PREFIXES = ("", "+91", "+91 ", "91", "91 ", "91-", "0", "0091", "0091 ", "+91-", "(+91) ", "+91 0", "0 ")
GROUPS = ("{0}{1}", "{0} {1}", "{0}-{1}", "{0}\N{EN DASH}{1}", "{0}\N{NO-BREAK SPACE}{1}")
SEPARATORS = (
    "/",
    " / ",
    ",",
    ", ",
    ";",
    " & ",
    "|",
    "\n",
    "\r\n",
    " or ",
    " and ",
    " OR ",
    " ",
    "-",
    " - ",
    "  ",
)
OTHERS = (
    SECOND,
    "+91 9123456780",
    "09123456780",
    "919123456780",
    "0495 2345678",
    "0495-2345678",
    "91234 56780",
)
NOTES = (
    *(
        "",
        " after 6 pm",
        " ext 12",
        " (2)",
        " (home)",
        ";ext=7",
        " / 46",
        " (call 2 times)",
        ", 10 to 6",
        " 6pm",
    ),
    *(" - wife", ": mother", " [1]", " 2nd call", "*", "?", " 12-03-2025", " x", "\N{ZERO WIDTH SPACE}", "."),
)
LEADS_IN = (
    "",
    "1) ",
    "tel:",
    "Mob: ",
    "Ph.",
    "(1) ",
    "1. ",
    "No ",
    "'",
    "\N{LEFT-TO-RIGHT EMBEDDING}",
    "call ",
)


def written(prefix: str, groups: str = "{0}{1}") -> str:
    return prefix + groups.format(FIRST[:5], FIRST[5:])


@pytest.mark.parametrize("separator", SEPARATORS)
def test_of_two_numbers_the_first_counts(separator: str) -> None:
    cells = [
        written(prefix, groups) + separator + other
        for prefix, groups, other in product(PREFIXES, GROUPS, OTHERS)
    ]
    assert len(cells) * len(SEPARATORS) > 560
    assert {cell: phone_number(cell) for cell in cells} == dict.fromkeys(cells, FIRST)


@pytest.mark.parametrize("note", NOTES)
def test_what_stands_around_a_number_is_no_part_of_it(note: str) -> None:
    cells = [
        lead_in + written(prefix, groups) + note
        for lead_in, prefix, groups in product(LEADS_IN, PREFIXES, GROUPS)
    ]
    assert {cell: phone_number(cell) for cell in cells} == dict.fromkeys(cells, FIRST)


@pytest.mark.parametrize("note", [" (home)", " after 6 pm", " ext 12"])
@pytest.mark.parametrize("separator", ["/", ", ", " or ", " / "])
def test_two_numbers_with_a_note_each(note: str, separator: str) -> None:
    for prefix, other in product(PREFIXES, OTHERS):
        cell = f"{written(prefix)}{note}{separator}{other}{note}"
        assert phone_number(cell) == FIRST, cell


@pytest.mark.parametrize("zero", ["\u0660", "\u06f0", "\u0966", "\u0d66", "\uff10", "\u0be6", "\U0001d7ce"])
def test_digits_of_every_script_are_digits(zero: str) -> None:
    native = str.maketrans({str(digit): chr(ord(zero) + digit) for digit in range(10)})
    for prefix, separator in product(PREFIXES, ("/", " ", ", ")):
        cell = (written(prefix) + separator + SECOND).translate(native)
        assert phone_number(cell) == FIRST, cell
    assert phone_number("984601234".translate(native)) == "0984601234"


@pytest.mark.parametrize("mark", ["x", "X", "O", "l", "I", "*", "**", "?", "xx", "***", "\u0d05"])
@pytest.mark.parametrize("behind", ["", " / 9123456780", " 9123456780", " (home)"])
def test_what_hides_a_digit_makes_a_reject(mark: str, behind: str) -> None:
    for place in range(1, len(FIRST)):
        for cell in (FIRST[:place] + mark + FIRST[place:], FIRST[:place] + mark + FIRST[place + 1 :]):
            if cell[-1].isdigit():
                assert phone_number(cell + behind) is None, cell
    assert phone_number(f"{FIRST} / 98460{mark}12345") == FIRST


@pytest.mark.parametrize(
    "cell",
    [
        *("+971 50 123 4567", "+971501234567", "00971501234567", "00971 50 1234567", "+971 (0) 501234567"),
        *("+971 (4) 9846012345", "+1 984 601 2345", "+44 7911 123456", "+971 50 123 4567 / 9846012345"),
        *("+9846012345", "971501234567", "\uff0b971501234567"),
        *(
            "00971 50 123 4567",
            "00971-50-123-4567",
            "00 971 50 123 4567",
            "00966 50 123 4567",
            "0061 412 345 678",
        ),
    ],
)
def test_another_countrys_number_is_a_reject(cell: str) -> None:
    assert phone_number(cell) is None
    assert phone_number(f"{FIRST} / {cell}") == FIRST


@pytest.mark.parametrize(
    "cell",
    [
        *("12-03-2025", "2025-03-12 10:30", "2025-02-01T08:59:27", "12/03/2025", "12.3.2025 9846012345"),
        *("12/03/2025, 9846012345", "2025-02-01 08:59:27.123"),
    ],
)
def test_a_date_is_a_reject(cell: str) -> None:
    assert phone_number(cell) is None
    assert phone_number(f"{FIRST} {cell}") == FIRST


@pytest.mark.parametrize(
    "day", ["11.12.25", "11-12-25", "1.2.2025", "13/02/2025", "01 02 2025", "2025-02-13"]
)
@pytest.mark.parametrize("gap", [" ", ", ", "-", "  "])
@pytest.mark.parametrize("clock", ["10.30", "1030", "10:30", "9.05", "10:30:15", "10.30.15"])
def test_a_date_with_a_time_is_a_reject(day: str, gap: str, clock: str) -> None:
    for cell in (f"{day}{gap}{clock}", f"{clock}{gap}{day}", f"{day}{gap}{clock}\N{ZERO WIDTH SPACE}"):
        assert phone_number(cell) is None, cell
        assert why_no_phone(cell).startswith("a date where"), cell
    assert phone_number(f"{day}{gap}{clock} {FIRST}") is None
    assert phone_number(f"{FIRST} {day}{gap}{clock}") == FIRST


@pytest.mark.parametrize("cell", ["2025-02-13-10", "13022025 10:30", "20250213 10:30", "1.2.25 10.30.15"])
def test_other_dates_of_ten_digits(cell: str) -> None:
    assert phone_number(cell) is None


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("98.47.01.23.45", "9847012345"),
        ("98 47 01 23 45", "9847012345"),
        ("98-47-01-23-45", "9847012345"),
        ("98470-12345", "9847012345"),
        ("984.701.2345", "9847012345"),
        ("0484 2345678", "4842345678"),
        ("0484-234 5678", "4842345678"),
        ("04842.345678", "4842345678"),
        ("011-23456789", "1123456789"),
        ("022 1234 5678", "2212345678"),
        ("20-12345678", "2012345678"),
        ("+91 98.47.01.23.45", "9847012345"),
    ],
)
def test_a_number_in_groups_is_no_date(cell: str, phone: str) -> None:
    assert phone_number(cell) == phone


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("984601234", "0984601234"),
        ("984601234.0\N{ZERO WIDTH SPACE}", "0984601234"),
        (" 984601234 ", "0984601234"),
        (984601234, "0984601234"),
        (984601234.0, "0984601234"),
        ("98460 1234", None),
        ("+91 984601234", None),
        ("984601234 / 46", None),
        ("984601234 after 6 pm", None),
        ("984601234 / 9123456780", SECOND),
        ("9123456780 / 984601234", SECOND),
    ],
)
def test_the_zero_is_put_back_to_nine_digits_alone(cell: object, phone: str | None) -> None:
    assert phone_number(cell) == phone


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        (9876543210.0, "9876543210"),
        (9876543210, "9876543210"),
        ("9876543210.0", "9876543210"),
        ("123/9123456780", SECOND),
        ("98765.43210", "9876543210"),
        ("9876543210.9123456780", "9876543210"),
        ('="9876543210"', "9876543210"),
        ("(0495) 2345678", "4952345678"),
        ("+91 (495) 2345678", "4952345678"),
        ("0495 2345678 / 9846012345", "4952345678"),
        ("tel:+91-98460-12345;ext=7", FIRST),
        ("9123456780 12", SECOND),
        ("91234 56780 12", SECOND),
        ("91984 60123 45", FIRST),
        ("98460 12345 46", FIRST),
        ("9198460123-45", "9198460123"),
        ("+919846012345", FIRST),
        ("09846012345", FIRST),
        ("9846012345 9123456780 9000000001", FIRST),
        ("2B3 9846012345", FIRST),
        ("1a" * 4000 + " / 9846012345", FIRST),
    ],
)
def test_single_cells(cell: object, phone: str | None) -> None:
    assert phone_number(cell) == phone


@pytest.mark.parametrize(
    "cell",
    [
        *("9.87654E+09", "=9327600000+1", "'=9327600000+1", 9327600014.5, 98765.4321, "9327600014.5"),
        *("-9327600014.50", "9327600014.12345", None, "", "none", True, [], 81396946, "12345678", "98460"),
        *("2025020100100001", "19846012345", "98460123456", "+91", "\N{ZERO WIDTH SPACE}"),
    ],
)
def test_what_is_no_number(cell: object) -> None:
    assert phone_number(cell) is None


def test_a_cell_full_of_digits_in_brackets_is_read_to_its_end() -> None:
    assert phone_number("1) " * 3000) == "1111111111"
    assert phone_number("1) " * 3000 + f"/ {FIRST}") == "1111111111"


@given(st.from_regex(r"\+?(91)?[ -]?[0-9]{0,4}[6-9]([0-9]{1,9}[ -]?){1,4}", fullmatch=True))
def test_a_number_in_groups_is_read_as_it_is_before_a_comma(cell: str) -> None:
    """Alone it may be known at a glance; with something behind it, it never is."""
    assume(len(cell.strip()) != 9)  # nine digits alone get their 0 back
    phone = phone_number(f"{cell},")
    assert phone_number(cell) == phone
    if phone is not None:
        assert former_phones(cell, phone) == former_phones(f"{cell},", phone)


@given(st.one_of(st.text(alphabet="0123456789+- ()/,;*?x.", max_size=40), st.text(max_size=30)))
def test_a_number_stands_in_the_cell_as_it_is_read(cell: str) -> None:
    phone = phone_number(cell)
    assert phone is None or re.fullmatch("[0-9]{10}", phone)
    if phone is not None and cell.isascii():
        assert phone.removeprefix("0") in re.sub("[^0-9]", "", cell)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "no phone number"),
        ("93276", "too few digits in the phone number"),
        ("=9327600000+1", "the phone number is a formula, or has a fraction"),
        ("+971 50 123 4567", "the phone number can't be read"),
        ("98460*12345", "the phone number can't be read"),
    ],
)
def test_a_file_and_a_report_say_the_same_of_a_number(cell: str, reason: str) -> None:
    row = {"bookingDate": "2025-02-01", "customerName": "A", "phoneNo": cell, "bookingNo": "1"}
    assert why_no_phone(cell).startswith(reason)
    with pytest.raises(InvalidRowError, match=f"^{re.escape(reason)}"):
        file_record(StepName.WALKIN, {"name": "A", "phone": cell}, STORE, UTC)
    with pytest.raises(InvalidRowError, match=f"^{re.escape(reason)}"):
        report_values(StepName.BOOKING, row, STORE, RowDates(UTC))


@pytest.mark.parametrize("cell", [f"{FIRST} / {SECOND}", f"+91 {FIRST}, {SECOND}", f"{FIRST} ext 12"])
def test_a_report_reads_a_number_as_a_file_does(cell: str) -> None:
    row = {"bookingDate": "2025-02-01", "customerName": "A", "phoneNo": cell, "bookingNo": "1"}
    values = report_values(StepName.BOOKING, row, STORE, RowDates(UTC))
    assert values is not None
    assert (
        values["phone"]
        == file_record(StepName.WALKIN, {"name": "A", "phone": cell}, STORE, UTC).record.values["phone"]
    )


@pytest.mark.parametrize(
    ("cell", "before"),
    [
        (FIRST, ()),
        ("+91 98460 12345", ()),
        (9846012345, ()),
        ("+91 9846012345 / 9123456780", ("1984601234", SECOND)),
        ("9846012345/9123456780", (SECOND,)),
        ("9846012345 ext 12", ("4601234512",)),
        ("9846012345 / +91 9123456780", ("8460123459", SECOND)),
        ("\u0d6f\u0d6e\u0d6a\u0d6c\u0d66\u0d67\u0d68\u0d69\u0d6a\u0d6b", ()),
    ],
)
def test_what_a_number_was_read_as_before(cell: object, before: tuple[str, ...]) -> None:
    assert former_phones(cell, FIRST) == before
