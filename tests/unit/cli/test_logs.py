"""The log: its two forms, its file, and that trouble with it never reaches the run."""

import io
import json
import logging
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.cli.logs import log_file
from syncctl.cli.logs.setup import JsonFormatter, LogFormat, TextFormatter, configure_logging, reset_logging
from syncctl.errors import SettingsError
from syncctl.safe_output.redact import Redactor

redactor = Redactor(["s3cret-key"])
logger = logging.getLogger("syncctl.services.sync.api_sync")
CREATED = datetime(2026, 11, 23, 16, 0, 0, 250_000, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    yield
    reset_logging()


def record(
    message: str, level: int = logging.INFO, *, args: tuple[object, ...] = (), fields: object = None
) -> logging.LogRecord:
    made = logging.LogRecord("syncctl", level, "", 0, message, args, None)
    made.created = CREATED
    made.fields = fields or {}
    return made


@pytest.mark.parametrize(
    ("level", "message", "line"),
    [
        (logging.INFO, "started", "2026-11-23T16:00:00Z INFO  started"),
        (logging.WARNING, "odd", "2026-11-23T16:00:00Z WARN  odd"),
        (logging.ERROR, "two\r\nlines\ttab", r"2026-11-23T16:00:00Z ERROR two\r\nlines\ttab"),
        (logging.DEBUG, "\x1b[31m\u2028\x85é", r"2026-11-23T16:00:00Z DEBUG \x1b[31m\u2028\x85é"),
        (logging.INFO, "key s3cret-key", "2026-11-23T16:00:00Z INFO  key ***"),
    ],
)
def test_text(level: int, message: str, line: str) -> None:
    assert TextFormatter(redactor).format(record(message, level)) == line


def test_json() -> None:
    fields = {
        "run_id": "r1",
        "phone": 9048780011,
        "rows": 12,
        "ratio": 0.5,
        "none": None,
        "yes": True,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "path": Path("s3cret-key/data"),
        "steps": [{"key": "s3cret-key"}],
        "odd": float("nan"),
        "level": "can't replace the event's",
    }
    made = record("two\nlines of 9048780011", logging.WARNING, fields=fields)
    assert list(json.loads(JsonFormatter(redactor).format(made)).items()) == [
        ("time", "2026-11-23T16:00:00.250Z"),
        ("level", "warning"),
        ("message", "two\nlines of 90xxxxxx11"),
        ("run_id", "r1"),
        ("phone", "90xxxxxx11"),
        ("rows", 12),
        ("ratio", 0.5),
        ("none", None),
        ("yes", True),
        ("at", "2026-01-01 00:00:00+00:00"),
        ("path", "***/data"),
        ("steps", [{"key": "***"}]),
        ("odd", None),
    ]


@settings(deadline=None)
@given(message=st.text(), value=st.text())
def test_one_event_is_one_line_in_either_form(message: str, value: str) -> None:
    made = record(message, fields={"value": value})
    for line in (TextFormatter(redactor).format(made), JsonFormatter(redactor).format(made)):
        assert len(line.splitlines()) == 1
        line.encode()


def test_an_exception_is_part_of_the_line_and_redacted() -> None:
    text, as_json = io.StringIO(), io.StringIO()
    forms: list[tuple[io.StringIO, LogFormat]] = [(text, "text"), (as_json, "json")]
    for stream, form in forms:
        configure_logging(level=logging.INFO, stream=stream, stream_format=form, redactor=redactor)
        try:
            int("Bearer s3cret-key for 9048780011")
        except ValueError:
            logger.exception("failed")
    assert "s3cret-key" not in text.getvalue() + as_json.getvalue()
    (line,) = text.getvalue().splitlines()
    assert r"ERROR failed\nTraceback" in line
    assert line.endswith("'Bearer *** for 90xxxxxx11'")
    assert json.loads(as_json.getvalue())["exception"].endswith("'Bearer *** for 90xxxxxx11'")


def test_levels_and_destinations(tmp_path: Path) -> None:
    stream = io.StringIO()
    path = tmp_path / "logs" / "sync.log"
    configure_logging(level=logging.ERROR, stream=stream, log_file=path, log_format="json", redactor=redactor)
    logger.debug("debug")
    logger.info("info", extra={"fields": {"run_id": "r1"}})
    logger.error("error")
    # --quiet is about the terminal; the file is the record of what happened.
    assert [line.split(maxsplit=1)[1] for line in stream.getvalue().splitlines()] == ["ERROR error"]
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(event["message"], event.get("run_id")) for event in events] == [("info", "r1"), ("error", None)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level=logging.INFO, stream_format=None, redactor=redactor)
    logger.error("for nobody")
    logging.getLogger("urllib3").warning("for nobody either")
    assert capsys.readouterr() == ("", "")


def test_warnings_of_libraries_are_redacted_too() -> None:
    stream = io.StringIO()
    configure_logging(level=logging.INFO, stream=stream, redactor=redactor)
    logging.getLogger("urllib3.connectionpool").info("no news")
    logging.getLogger("urllib3.connectionpool").warning("retrying %s", "http://u:p@host/")
    assert stream.getvalue().endswith("WARN  retrying http://***@host/\n")
    assert stream.getvalue().count("\n") == 1


def test_it_can_be_set_up_again_and_undone(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    stream = io.StringIO()
    for name in ("a.log", "b.log"):
        configure_logging(level=logging.INFO, stream=stream, log_file=tmp_path / name, redactor=redactor)
    logger.info("once")
    reset_logging()
    logger.info("never")
    assert stream.getvalue().count("\n") == 1
    assert (tmp_path / "a.log").read_text() == ""
    assert logging.getLogger().handlers == before
    assert logging.getLogger("syncctl").level == logging.NOTSET


def test_a_stream_that_lacks_a_character(tmp_path: Path) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    configure_logging(level=logging.INFO, stream=stream, log_file=tmp_path / "log", redactor=redactor)
    logger.info("Zoë \N{MALAYALAM LETTER MA} \udc80")
    assert raw.getvalue().decode("ascii").endswith("INFO  Zo\\xeb \\u0d2e \\udc80\n")
    assert (tmp_path / "log").read_text("utf-8").endswith("INFO  Zoë \N{MALAYALAM LETTER MA} \\udc80\n")


def test_arguments_that_do_not_fit_lose_nothing() -> None:
    made = record("%d rows, %s", args=("s3cret-key",))
    assert TextFormatter(redactor).format(made).endswith("INFO  %d rows, %s ('***',)")
    assert json.loads(JsonFormatter(redactor).format(made))["message"] == "%d rows, %s ('***',)"


def test_a_reader_that_has_gone(capsys: pytest.CaptureFixture[str]) -> None:
    readable, writable = os.pipe()
    os.close(readable)
    with open(writable, "w", buffering=1) as stream:
        configure_logging(level=logging.INFO, stream=stream, redactor=redactor)
        logger.info("for nobody")
        reset_logging()
        with open(os.devnull, "w") as null:  # which takes what the stream has kept
            os.dup2(null.fileno(), writable)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_once_and_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logging(level=logging.INFO, stream=stream, log_file=Path("/dev/full"), redactor=redactor)
    for number in range(1000):
        logger.info("event %d", number)
    reset_logging()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1001
    assert [line for line in lines if "INFO" not in line] == [
        "The log file /dev/full can't be written (No space left on device): "
        "the run goes on, but events will be missing from it."
    ]
    assert capsys.readouterr() == ("", "")


def test_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "FILE_BYTES", 100)
    configure_logging(level=logging.INFO, stream_format=None, log_file=tmp_path / "log", redactor=redactor)
    for number in range(40):
        logger.info("event %02d", number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["log", *(f"log.{number}" for number in range(1, 6))]
    assert "event 39" in files[0].read_text()
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_a_file_that_can_not_be_rotated_grows_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "FILE_BYTES", 100)
    for number in range(1, 6):
        (tmp_path / f"log.{number}").mkdir()
    stream = io.StringIO()
    configure_logging(level=logging.ERROR, stream=stream, log_file=tmp_path / "log", redactor=redactor)
    for number in range(40):
        logger.info("event %02d", number)
    assert (tmp_path / "log").read_text().count("event") == 40
    (line,) = stream.getvalue().splitlines()
    assert "can't be rotated" in line


@pytest.mark.attack("own files")
def test_the_file_and_every_folder_that_is_made_for_it_are_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "logs" / "sync.log"
    configure_logging(level=logging.INFO, stream_format=None, log_file=path, redactor=redactor)
    reset_logging()
    assert [stat.S_IMODE(made.stat().st_mode) for made in (path, *path.parents[:2])] == [0o600, 0o700, 0o700]


@pytest.mark.attack("own files")
def test_nothing_is_logged_through_a_link(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("notes")
    (tmp_path / "log").symlink_to(notes)
    with pytest.raises(SettingsError, match="log is a link: set SYNC_LOG_FILE to the file itself"):
        configure_logging(level=logging.INFO, log_file=tmp_path / "log", redactor=redactor)
    assert notes.read_text() == "notes"
    (tmp_path / "null").symlink_to("/dev/null")
    configure_logging(level=logging.INFO, stream_format=None, log_file=tmp_path / "null", redactor=redactor)


@pytest.mark.attack("screen")
@pytest.mark.parametrize(
    "steering", ["\x1b[2J", "\x9b31m", "\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\U000e0041", "\x85"]
)
def test_nothing_in_a_line_steers_a_terminal(steering: str) -> None:
    made = record(f"no store {steering}gpj.exe", fields={"store": steering})
    for form in (TextFormatter(redactor), JsonFormatter(redactor)):
        assert steering not in form.format(made)


def test_names_in_malayalam_stay_readable() -> None:
    name = "കൊച്ചി അവന്\u200d"  # the last letter is written with a joiner
    assert name in TextFormatter(redactor).format(record(name))


@pytest.mark.parametrize("name", [".", "file/log", "x" * 300])
def test_a_file_that_can_not_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    before = list(logging.getLogger().handlers)
    with pytest.raises(SettingsError, match="SYNC_LOG_FILE"):
        configure_logging(level=logging.INFO, log_file=tmp_path / name, redactor=redactor)
    assert logging.getLogger().handlers == before
