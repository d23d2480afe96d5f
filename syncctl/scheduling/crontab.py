"""The user's crontab, by crontab(1), and the marked block in it; every other byte stays unchanged."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from syncctl.errors import AbortError, ServiceUnavailableError, SettingsError
from syncctl.safe_output.printable import printable
from syncctl.scheduling.crontab_line import CrontabLine, Job, crontab_lines

_BEGIN = b"# BEGIN syncctl"
_END = b"# END syncctl"
_MADE_BY = b" (made by `syncctl cron install`: change the settings and run that again)"
_LINE_END_ADDED = b" (after a line without an end)"


class Crontab(NamedTuple):
    """A crontab split into three parts."""

    before: bytes

    block: bytes
    """Our block; empty if there is none."""

    after: bytes

    @property
    def others(self) -> tuple[CrontabLine, ...]:
        """Lines outside the block that also run a sync."""
        return tuple(line for part in (self.before, self.after) for line in crontab_lines(part) if line.syncs)

    @property
    def lines(self) -> tuple[CrontabLine, ...]:
        """The lines in the block, below the variables set above it: the sync, and what runs nightly."""
        above = sum(1 for _ in crontab_lines(self.before))
        return tuple(islice(crontab_lines(self.before + self.block), above, None))

    @property
    def line(self) -> CrontabLine | None:
        """The line in the block that syncs."""
        return next((line for line in self.lines if line.syncs), None)

    @property
    def nightly(self) -> Mapping[Job, str]:
        """The nightly jobs in the block, each with its schedule."""
        return {line.nightly: line.schedule for line in self.lines if line.nightly}


def parse_crontab(content: bytes) -> Crontab:
    """Find the block. Raises SettingsError if its markers don't match: that needs manual repair."""
    begins, ends, position = [], [], 0
    for line in _lines(content):
        if line.startswith(_BEGIN):
            begins.append(position)
        position += len(line)
        if line.startswith(_END):
            ends.append(position)
    if not begins and not ends:
        return Crontab(content, b"", b"")
    if len(begins) != 1 or len(ends) != 1 or begins[0] >= ends[0]:
        raise SettingsError(
            f'The crontab needs one line "{_BEGIN.decode()}" and below it one "{_END.decode()}", '
            f"but has {len(begins)} and {len(ends)}: remove what is left of the block with `crontab -e`."
        )
    return Crontab(content[: begins[0]], content[begins[0] : ends[0]], content[ends[0] :])


def block(*lines: bytes, line_end_added: bool = False) -> bytes:
    """The block with `lines` in it. `line_end_added`: the line above had no newline; recorded so that
    `without_block` can restore it."""
    begin = _BEGIN + _MADE_BY + _LINE_END_ADDED * line_end_added
    return b"\n".join((begin, *lines, _END, b""))


def with_block(content: bytes, *lines: bytes) -> bytes:
    """The crontab with `lines` in its block, which keeps its place or is appended.

    Raises SettingsError as `parse_crontab` does.
    """
    found = parse_crontab(content)
    if found.block:
        added = _LINE_END_ADDED in found.block.partition(b"\n")[0]
        return found.before + block(*lines, line_end_added=added) + found.after
    added = bool(content) and not content.endswith(b"\n")
    return content + b"\n" * added + block(*lines, line_end_added=added)


def without_block(content: bytes) -> bytes:
    """The crontab without the block, as before it was added. Raises SettingsError as `parse_crontab` does."""
    found = parse_crontab(content)
    added = _LINE_END_ADDED in found.block.partition(b"\n")[0]
    # Lines added below the block since then need the newline.
    before = found.before.removesuffix(b"\n") if added and not found.after else found.before
    return before + found.after


def difference(before: bytes, after: bytes) -> Iterator[str]:
    """The change as lines of a unified diff (diff(1), -u); empty if there is none."""
    for line in difflib.unified_diff(
        _shown(before), _shown(after), "crontab", "crontab, changed", lineterm=""
    ):
        yield from line.split("\n")


def _shown(content: bytes) -> list[str]:
    *lines, last = os.fsdecode(content).split("\n")
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


def _lines(content: bytes) -> list[bytes]:
    """Lines with their ends; a lone carriage return is not a line end."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + [content.rpartition(b"\n")[2]]


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
