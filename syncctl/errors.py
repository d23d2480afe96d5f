"""What can go wrong, grouped by what to do next, and the exit status of each.

    SyncctlError                    one or two plain lines for the person at the terminal
    ├── AbortError                  the command can't go on
    │   ├── UsageError              2: the command line asks for what can't be
    │   ├── SettingsError           78: a setting is wrong or missing
    │   ├── ServiceUnavailableError 69: a service of the machine, such as crontab, can't be used
    │   ├── LockHeldError           75: another run is under way
    │   ├── PreviewOutdatedError    65: an import would not do what its preview showed
    │   ├── PlanOutdatedError       1: a cleanup would not do what the person has agreed to
    │   ├── TemporaryFileError      1: the folder for temporary files is full, or there is none
    │   ├── StorageError            1: the database refused something, or holds what it should not
    │   │   ├── LeadsRefusedError         some leads of a batch: they go on the rejects list
    │   │   ├── NewerDatabaseError        78: a newer syncctl has been at work on it
    │   │   └── StorageUnavailableError   69: the database cannot be reached
    │   ├── NotConfirmedError       1: the person said no
    │   ├── StopRequestedError      128 + signal: Ctrl-C or SIGTERM
    │   └── InterruptedRunError     the same, of a run, which has noted it
    ├── FileProblemError            65: a file could not be understood; the others go on
    ├── ApiError                    one call of the rental API failed: its location is skipped in this run
    │   ├── RetryableApiError       worth another try: resets, timeouts, 429, 5xx, unusable bodies
    │   └── FinalApiError           not worth one
    │       ├── KeyRefusedError     401, 403: the whole step fails, naming the setting that holds the key
    │       ├── UnclearAnswerError  no rows, and no telling why: taken as empty, but nothing follows from it
    │       └── DeadlinePassedError the run's (or its step's) time is over
    └── InvalidRowError             one row: it goes on the rejects list with this reason

Only errors of this tree leave a module of syncctl; libraries' own are translated where they are raised.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses, as in docs/reference/exit-statuses.md (sysexits.h where it has one)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DATA = 65
    UNAVAILABLE = 69
    LOCK_HELD = 75
    CONFIG = 78
    INTERRUPTED = 130
    TERMINATED = 143


class SyncctlError(Exception):
    """The root: `str()` of it is what the user reads.

    `message`: what happened, to what. `hint`: what to do about it, where the message doesn't say so itself.
    """

    exit_code: ExitCode = ExitCode.FAILED
    before_hint = "\n"
    """What stands between message and hint."""

    prefix = "Error: "
    """What a person reads before the message."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message}{self.before_hint}{hint}" if hint else message)
        self.message = message
        self.hint = hint


class AbortError(SyncctlError):
    """The command can't continue."""


class UsageError(AbortError):
    """Invalid command line; the message says what is valid."""

    exit_code = ExitCode.USAGE


class SettingsError(AbortError):
    """A setting is invalid or missing; the message names it and its origin."""

    exit_code = ExitCode.CONFIG


class ServiceUnavailableError(AbortError):
    """A service of the machine that the command needs, such as crontab, isn't there or doesn't answer."""

    exit_code = ExitCode.UNAVAILABLE


class LockHeldError(AbortError):
    """Another run holds the lock; the message names its pid and start."""

    exit_code = ExitCode.LOCK_HELD


class PreviewOutdatedError(AbortError):
    """An import would not do what the preview showed that was named; nothing was written."""

    exit_code = ExitCode.DATA


class PlanOutdatedError(AbortError):
    """A cleanup would not do what the person has seen and agreed to; nothing was changed."""


class TemporaryFileError(AbortError):
    """The folder for temporary files is full or can't be written; the message names it."""


class StorageError(AbortError):
    """The database refused something other than a duplicate."""


class LeadsRefusedError(StorageError):
    """Database rules rejected some leads; the others are stored.

    `inserted`: ids inserted by this call. `reasons`: id of each rejected lead -> reason.
    """

    def __init__(self, inserted: set[str], reasons: dict[str, str]) -> None:
        leads = "A lead was" if len(reasons) == 1 else f"{len(reasons):,} leads were"
        super().__init__(f"{leads} not stored: {next(iter(reasons.values()))}.")
        self.inserted = inserted
        self.reasons = reasons


class NewerDatabaseError(StorageError):
    """A newer syncctl has used this database, which this version might corrupt. `place`: the database, as
    the first words of a sentence."""

    exit_code = ExitCode.CONFIG

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} was written by a newer syncctl: upgrade this one.")


class StorageUnavailableError(StorageError):
    """The database can't be reached or opened."""

    exit_code = ExitCode.UNAVAILABLE


class NotConfirmedError(AbortError):
    """The person was asked whether to go on, and said no."""

    prefix = ""

    def __init__(self) -> None:
        super().__init__("Nothing was changed.")


class StopRequestedError(AbortError):
    """Ctrl-C or SIGTERM (`signal_number`), raised by the work itself, where it can end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("Stopped.")
        self.exit_code = ExitCode(128 + signal_number)


class InterruptedRunError(AbortError):
    """The run was asked to stop: what it stored is kept. `short`: what became of its step."""

    def __init__(self, request: StopRequestedError) -> None:
        terminated = request.exit_code is ExitCode.TERMINATED
        how = "Terminated by a signal" if terminated else "Interrupted"
        super().__init__(f"{how}: what was stored is kept; the next run goes on from there.")
        self.short = (
            "terminated by a signal before it finished" if terminated else "interrupted before it finished"
        )
        self.exit_code = request.exit_code


class FileProblemError(SyncctlError):
    """A file could not be understood; the message names it and says what to do."""

    exit_code = ExitCode.DATA


class ApiError(SyncctlError):
    """One call of the rental API failed.

    `hint`: such as "check API_TOKEN"; "" where nothing but another try helps. `setting`: the setting that the
    hint names, "" for none. `is_refusal`: whether the API answered, in an orderly way, that it can't do what
    it was asked: another body may be understood.
    """

    before_hint = ": "

    def __init__(self, message: str, *, hint: str = "", setting: str = "", is_refusal: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.setting = setting
        self.is_refusal = is_refusal


class RetryableApiError(ApiError):
    """A possibly temporary failure: resets, timeouts, 429, 5xx, truncated or non-JSON bodies.

    `retry_after_s`: how many seconds the server asked to wait (RFC 9110, 10.2.3), or None. `status`: HTTP's,
    where that is the failure.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each fact
        self,
        message: str,
        *,
        hint: str = "",
        setting: str = "",
        is_refusal: bool = False,
        retry_after_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, setting=setting, is_refusal=is_refusal)
        self.retry_after_s = retry_after_s
        self.status = status


class FinalApiError(ApiError):
    """A failure that a retry would only repeat."""


class KeyRefusedError(FinalApiError):
    """401 or 403: every other call of this API would be refused too."""


class UnclearAnswerError(FinalApiError):
    """An answer without rows whose text means neither "no data" nor a failure.

    `said`: that text, printable and short.
    """

    def __init__(self, said: str) -> None:
        super().__init__(
            f"the API sent no rows and said “{said}”", hint="ask the API's provider whether it is an error"
        )
        self.said = said


class DeadlinePassedError(FinalApiError):
    """The run's time is up. `asked`: the API was called but did not answer in time."""

    def __init__(self, message: str, *, asked: bool = False) -> None:
        super().__init__(message)
        self.asked = asked


class InvalidRowError(SyncctlError):
    """A row can't become a lead; the message is the reason, without the customer's data."""
