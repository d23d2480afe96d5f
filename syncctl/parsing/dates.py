"""Reads dates as programs and people write them; ambiguous ones are refused."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo

OLDEST_YEAR, NEWEST_YEAR = 2000, 2100
"""Dates outside these years are unreadable (contract/rental-api.md, "A report row")."""

EMPTY_DATES = frozenset((date(1, 1, 1), date(1900, 1, 1)))
"""Dates that mean "no date" (contract/rental-api.md): .NET's MinValue, and what SQL Server makes of ''."""

NONE_WORDS = frozenset(("", "null", "none", "nil", "na", "n/a", "nan", "nat"))
"""Texts that mean "no value", apart from dashes."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants are counted from it, in UTC
_MILLISECOND = timedelta(milliseconds=1)
_A_DAY = timedelta(days=1) // _MILLISECOND
_NO_INSTANTS = [(datetime.combine(day, time()) - _EPOCH) // _MILLISECOND for day in EMPTY_DATES]

_SLASHES = "\\\N{FRACTION SLASH}\N{DIVISION SLASH}"
_DASHES = "_\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_IN_JSON = re.compile(r"/date\((-?\d{1,17})(?:[+-]\d{4})?\)/")  # .NET's old format; the offset has no effect
# What Excel shows for a blank cell that a formula refers to: the day 0.
_DAY_ZERO = re.compile(r"(?:0?0[-/. ](?:0?1|jan)|0?1/0?0)[-/. ](?:19)?00(?:[ t,].*)?")
_NOTE = re.compile(r"\([^()\d]*\)|\b(?:tentative|morning|noon|afternoon|evening|night)\b")
_TIME = re.compile(
    r"(?:\bat\s+|(?<=\d)t)?(?<![\d:./-])"
    r"(?:(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?P<part>[.,]\d+)?)?)?"
    r"\s*(?P<half>[ap])\.?m\b\.?"
    r"|(?P<hour24>\d{1,2}):(?P<minute24>\d\d)(?::(?P<second24>\d\d)(?P<part24>[.,]\d+)?)?)"
    r"\s*(?:(?:hrs?|hours)\b\.?)?\s*(?P<zone>z\b|utc\b|gmt|ist\b)?\s*(?P<offset>[+-]\d\d:?\d\d)?(?!\d)"
)
_POINT_TIME = re.compile(r"(?<=[\s,])(\d{1,2})\.(\d\d)(?:\.(\d\d))?(?=\s*(?:(?:hrs?|hours)\b\.?)?$)")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs?|ur)?(?:day)?\b\.?")
_GAP = r"[-/.,\s]"
_ORDINAL = r"(?:\s*(?:st|nd|rd|th)\b)?"
_NUMBERS = re.compile(rf"(\d{{1,2}}){_ORDINAL}({_GAP}+)(\d{{1,2}}){_GAP}+'?(\d{{4}}|\d\d)")
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}}){_GAP}+(?P<month>\d{{1,2}}){_GAP}+(?P<day>\d{{1,2}})")
_DIGITS = re.compile(r"(?P<day>\d\d)(?P<month>\d\d)(?P<year>\d{4})")  # year first is ISO 8601
_WITH_MONTH = (
    re.compile(
        rf"(?:the\s+)?(?P<day>\d{{1,2}})(?:\s*(?:st|nd|rd|th))?(?:\s+of\b)?{_GAP}*"
        rf"(?P<month>[a-z]{{3,10}}){_GAP}*'?(?P<year>\d{{4}}|\d\d)"
    ),
    # "Feb 13-14" is two days: here a short year needs a comma or an apostrophe.
    re.compile(
        rf"(?P<month>[a-z]{{3,10}}){_GAP}*(?P<day>\d{{1,2}}){_ORDINAL}"
        rf"(?:{_GAP}+(?P<year>\d{{4}})|(?:\s*,\s*'?|\s+')(?P<short>\d\d))"
    ),
    re.compile(rf"(?P<year>\d{{4}}){_GAP}*(?P<month>[a-z]{{3,10}}){_GAP}*(?P<day>\d{{1,2}}){_ORDINAL}"),
)


def read_date(written: str, zone: tzinfo, *, month_first: bool = False) -> datetime | None:
    """A date, with its time of day if given, as the business's wall clock: marked as UTC and truncated to
    milliseconds (the precision of a BSON date). None if the text means "no date".

    `zone`: the business's, used to convert instants (`Z`, an offset, `/Date(ms)/`); a time without a zone is
    already local. `month_first`: numeric dates with slashes are month first, as the API's serializers write
    them; else day first. Raises ValueError: not a date, an implausible year, or ambiguous.
    """
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        return _of_person(written, zone, month_first=month_first)
    if "." in written and _POINT_TIME.search(written):  # Python takes "10.30" for three tenths of a second
        return _of_person(written, zone, month_first=month_first)
    if "W" in written:
        raise ValueError("a week isn't a day")
    return _business_time(parsed, zone) if parsed.tzinfo else in_range(parsed)


def _of_person(written: str, zone: tzinfo, *, month_first: bool) -> datetime | None:
    plain = _normalized(written)
    try:
        return _read(plain, zone, month_first=month_first)
    except ValueError:
        if not (time_of_day := _POINT_TIME.search(plain)):
            raise
        # Only now: a day and a month are written with a point as well.
        clock = ":".join(filter(None, time_of_day.groups()))
        return _read(plain[: time_of_day.start()] + clock, zone, month_first=month_first)


def in_range(moment: datetime) -> datetime | None:
    """A local time marked as UTC and truncated to milliseconds; None if its day means "no date". Raises
    ValueError: an implausible year."""
    if not OLDEST_YEAR <= moment.year <= NEWEST_YEAR:
        if moment.date() in EMPTY_DATES:
            return None
        raise ValueError("out of range")
    if moment.microsecond:
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return datetime.combine(moment, moment.time(), UTC)  # five times faster than `replace`


def _business_time(moment: datetime, zone: tzinfo) -> datetime | None:
    """An instant with an offset as the business's local time."""
    if moment.date() in EMPTY_DATES:
        return None
    offset = moment.utcoffset() or timedelta()
    return _instant((moment.replace(tzinfo=None) - _EPOCH) // _MILLISECOND - offset // _MILLISECOND, zone)


def _instant(milliseconds: int, zone: tzinfo) -> datetime | None:
    """Like `_business_time`, from milliseconds since 1970; values within a day of "no date" mean that too."""
    if any(abs(milliseconds - none) <= _A_DAY for none in _NO_INSTANTS):
        return None
    try:
        moment = _EPOCH + milliseconds * _MILLISECOND
    except OverflowError:
        raise ValueError("out of range") from None
    if not OLDEST_YEAR - 1 <= moment.year <= NEWEST_YEAR + 1:
        raise ValueError("out of range")
    return in_range(moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None))


def _normalized(written: str) -> str:
    """The text with normalized digits, dashes, slashes and spaces, without invisible characters."""
    characters = []
    for character in unicodedata.normalize("NFKC", written).casefold():
        category = unicodedata.category(character)
        if category == "Pd" or character in _DASHES:
            characters.append("-")
        elif category != "Cf":
            characters.append("/" if character in _SLASHES else character)
    return " ".join("".join(characters).split()).lstrip("'\N{RIGHT SINGLE QUOTATION MARK}").strip(" ,;")


def _read(text: str, zone: tzinfo, *, month_first: bool) -> datetime | None:
    if text.strip("-") in NONE_WORDS or _DAY_ZERO.fullmatch(text):
        return None
    if in_json := _IN_JSON.fullmatch(text):
        return _instant(int(in_json[1]), zone)
    rest, clock = _without_match(_TIME, _NOTE.sub(" ", text))
    rest, weekday = _without_match(_WEEKDAY, rest)
    day = _day(rest.strip(" ,.;-"), month_first=month_first)
    if weekday and _WEEKDAYS[day.weekday()] != weekday[1]:
        raise ValueError("another day of the week")
    if clock is None:
        return in_range(datetime.combine(day, time()))
    moment = datetime.combine(day, _time_of_day(clock))
    offset = clock["offset"]
    if offset or clock["zone"] in ("z", "utc", "gmt"):
        sign = offset or "+00:00"
        behind = timedelta(hours=int(sign[1:3]), minutes=int(sign[-2:])) * (-1 if sign[0] == "-" else 1)
        return _instant((moment - behind - _EPOCH) // _MILLISECOND, zone)
    return in_range(moment)


def _without_match(pattern: re.Pattern[str], text: str) -> tuple[str, re.Match[str] | None]:
    """The text without the pattern's match; more than one match is an error."""
    found = list(pattern.finditer(text))
    if len(found) > 1:
        raise ValueError("more than one")
    if not found:
        return text, None
    start, end = found[0].span()
    return f"{text[:start]} {text[end:]}", found[0]


def _time_of_day(found: re.Match[str]) -> time:
    half = found["half"]
    kind = "" if half else "24"
    hour = int(found[f"hour{kind}"])
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif half == "a":
        raise ValueError("no such time")
    fraction = (found[f"part{kind}"] or ".")[1:7].ljust(6, "0")
    return time(hour, int(found[f"minute{kind}"] or 0), int(found[f"second{kind}"] or 0), int(fraction))


def _day(text: str, *, month_first: bool) -> date:
    if numbers := _NUMBERS.fullmatch(text):
        return _in_order(numbers, month_first=month_first)
    if found := _YEAR_FIRST.fullmatch(text) or _DIGITS.fullmatch(text):
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    for pattern in _WITH_MONTH:
        if found := pattern.fullmatch(text):
            year = found["year"] or found["short"]
            return date(_year(year), _month(found["month"]), int(found["day"]))
    raise ValueError("no date")


def _in_order(numbers: re.Match[str], *, month_first: bool) -> date:
    """The day from three numbers, year last. The API is only known to write the month first in dates with
    slashes; in others, the second number is the day only if it can't be a month."""
    first, gap, second, year = int(numbers[1]), numbers[2], int(numbers[3]), _year(numbers[4])
    if month_first and "/" not in gap:
        if first <= 12 and second <= 12 and first != second:
            raise ValueError("day or month first")
        month_first = second > 12
    return date(year, first, second) if month_first else date(year, second, first)


def _year(written: str) -> int:
    return int(written) + (2000 if len(written) == 2 else 0)


def _month(word: str) -> int:
    """A month by its name, abbreviated or misspelled, but not another word with the same start."""
    for number, name in enumerate(_MONTHS, start=1):
        if word[:3] == name[:3] and len(word) <= len(name) + 1:
            return number
    raise ValueError("no month")
