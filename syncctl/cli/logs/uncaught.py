"""Redacts Python's own reports of errors that no error boundary catches."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

_secrets: list[str] = []


def install() -> None:
    """Redact what Python itself writes to stderr: tracebacks, including those of threads, and warnings."""
    import threading

    sys.excepthook = _report
    sys.unraisablehook = _report_unraisable
    threading.excepthook = _report_of_thread
    warnings.showwarning = _warn


def remember(secrets: Iterable[str]) -> None:
    """Remove these secrets from every later report."""
    _secrets.extend(secrets)


def traceback_text(error: BaseException) -> str:
    """The traceback as Python shows it."""
    return "".join(traceback.format_exception(error)).rstrip("\n")


def _report(_kind: type[BaseException], error: BaseException, _where: TracebackType | None) -> None:
    _write(traceback_text(error))


def _report_of_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        _write(traceback_text(failed.exc_value))


def _report_unraisable(failed: sys.UnraisableHookArgs) -> None:
    if failed.exc_value is not None:
        _write(f"{failed.err_msg or 'Exception ignored'}\n{traceback_text(failed.exc_value)}")


def _warn(  # noqa: PLR0913, PLR0917 - as warnings.showwarning is called
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    _write(warnings.formatwarning(str(message), category, filename, lineno, line).rstrip("\n"))


def _write(text: str) -> None:
    from syncctl.cli.render.printer import print_message
    from syncctl.safe_output.redact import Redactor

    print_message(Redactor(_secrets)(text))
