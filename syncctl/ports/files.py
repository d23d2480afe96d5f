"""What the services need of the stores' files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol


class FileHeader(Protocol):
    """A row of column titles."""

    @property
    def titles(self) -> Sequence[str]:
        """Each column's title as written, made unique, up to the last one."""

    @property
    def columns(self) -> Mapping[str, int]:
        """The recognized columns with their positions (from 0)."""

    @property
    def several(self) -> Mapping[str, Sequence[int]]:
        """For columns that occur more than once: all positions, in order of precedence."""

    def left_over(self) -> Sequence[int]:
        """The positions of titles that stand for no column."""


class FileRow(Protocol):
    """A row of a file."""

    @property
    def number(self) -> int:
        """As a spreadsheet shows it."""

    @property
    def cells(self) -> Mapping[str, object]:
        """By column name, in the columns' order, empty ones None."""

    @property
    def raw(self) -> Mapping[str, str]:
        """The cells as text under the titles that the file gives them."""

    @property
    def written(self) -> Sequence[object]:
        """All cells by position, empty ones None."""

    @property
    def layout(self) -> FileHeader:
        """The header in force."""


class FileSheet(Protocol):
    """A sheet of a file; a CSV has one, without a name."""

    @property
    def name(self) -> str: ...
    @property
    def header_row(self) -> int:
        """The row of its first header."""

    @property
    def header(self) -> FileHeader:
        """Its first header."""

    def rows(self, ignore: Callable[[FileRow], None]) -> Iterator[FileRow]:
        """Its rows, read as they are taken. `ignore` is called with those that aren't customers. Raises
        FileProblemError where it can't be understood."""


class OpenedFile(Protocol):
    """A file's sheets."""

    @property
    def bytes_read(self) -> int:
        """So far; of a workbook, in proportion to its rows."""

    @property
    def problems(self) -> Sequence[str]:
        """What could not be understood of it, though the rest could."""

    @property
    def hidden_sheets(self) -> tuple[str, ...]:
        """Those that were passed over."""

    def __iter__(self) -> Iterator[FileSheet]: ...


class TitledLine(NamedTuple):
    """A filled line of a table."""

    sheet: str
    """"" in a CSV file."""

    number: int
    """As a spreadsheet shows it."""

    cells: Mapping[str, object]
    """By title as written, empty ones None; columns without a title are left out."""


class FileReader(Protocol):
    """Opens a store's CSV or workbook."""

    def __call__(self, path: Path, *, only_sheet: str | None = None) -> AbstractContextManager[OpenedFile]:
        """Raises FileProblemError: one line that names the file and says what to do."""
