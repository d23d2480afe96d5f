"""Reads and writes the user's crontab with crontab(1)."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping

from syncctl.errors import AbortError, ServiceUnavailableError, SettingsError
from syncctl.safe_output.printable import printable

_LIMIT_S = 30.0
_NONE_YET = re.compile(rb"no crontab for |can't open '[^']*': No such file", re.IGNORECASE)


def read_crontab(environ: Mapping[str, str] | None = None, limit_s: float = _LIMIT_S) -> bytes:
    """The crontab of the current user; empty if there is none. `environ`: the process's own by default;
    `limit_s`: the most time it may take, in seconds.

    Raises:
        ServiceUnavailableError: crontab(1) is missing, or does not end in time.
        SettingsError: it refuses.
    """
    ended = _crontab("-l", environ=environ, limit_s=limit_s)
    if ended.returncode == 0:
        return ended.stdout
    if _NONE_YET.search(ended.stderr):
        return b""
    raise _refused(ended)


def write_crontab(content: bytes, expected: bytes, environ: Mapping[str, str] | None = None) -> None:
    """Replace the crontab, last read as `expected`, and verify it.

    Raises:
        ServiceUnavailableError, SettingsError: as `read_crontab` does.
        AbortError: it was changed meanwhile, so nothing is written; or the result differs from what was
            written, and the old content is kept in a file that the message names.
    """
    if read_crontab(environ) != expected:
        raise AbortError("The crontab has just been changed by someone else: nothing was written. Try again.")
    ended = _crontab("-", content=content, environ=environ)
    if ended.returncode != 0:
        raise _refused(ended)
    if read_crontab(environ) != content:
        raise AbortError(
            f"The crontab doesn't hold what was written to it: compare `crontab -l` with {_kept(expected)}, "
            "which has it as it was before."
        )


def _crontab(
    argument: str, *, content: bytes = b"", environ: Mapping[str, str] | None, limit_s: float = _LIMIT_S
) -> subprocess.CompletedProcess[bytes]:
    environment = dict(os.environ if environ is None else environ)
    # Its messages are parsed.
    environment["LC_ALL"] = "C"
    try:
        return subprocess.run(
            ["crontab", argument],  # noqa: S607 - it is where PATH says, not at one place on each system
            input=content,
            capture_output=True,
            env=environment,
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError:
        raise ServiceUnavailableError(
            "The program crontab is not on this machine.",
            hint="Install cron (on Debian: apt install cron), or use `syncctl cron install --systemd`.",
        ) from None
    except subprocess.TimeoutExpired:
        raise ServiceUnavailableError(
            f"`crontab {argument}` did not end within {limit_s:g} s.", hint="Try it by hand."
        ) from None
    except OSError as error:
        raise ServiceUnavailableError(f"The program crontab can't be run: {error.strerror}.") from error


def _refused(ended: subprocess.CompletedProcess[bytes]) -> SettingsError:
    lines = ended.stderr.decode(errors="replace").split("\n")
    said = "; ".join(line.strip() for line in lines[:3] if line.strip()) or f"status {ended.returncode}"
    cure = " (see /etc/cron.allow, /etc/cron.deny)" if "allowed" in said else ""
    return SettingsError(
        f"crontab refuses: {printable(said.rstrip('.'))}{cure}.",
        hint="systemd can do it as well: syncctl cron install --systemd.",
    )


def _kept(content: bytes) -> str:
    with tempfile.NamedTemporaryFile(prefix="crontab-before-", delete=False) as file:
        file.write(content)
    return file.name
