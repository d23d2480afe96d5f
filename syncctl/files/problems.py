"""File errors: one line that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncctl.errors import FileProblemError


def problem(path: Path, what: str) -> FileProblemError:
    """The error for a file; `what` says what is wrong and what to do."""
    return FileProblemError(one_line(f"{path.name or path}: {what}"))


def one_line(text: str) -> str:
    """The text on one line, whatever file and sheet names it contains."""
    return "".join(char if char.isprintable() else "?" for char in text)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turns OS errors about a file into FileProblemError."""
    try:
        yield
    except FileNotFoundError as error:
        raise problem(path, "there is no such file; check its name") from error
    except PermissionError as error:
        raise problem(path, "this user isn't allowed to read it; change its permissions (chmod)") from error
    except OSError as error:
        raise problem(path, f"it can't be read: {error.strerror or error}") from error
