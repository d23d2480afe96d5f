"""What the services need of the stores' files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class FileRow(Protocol):
    """A row of a file. `number`: as a spreadsheet shows it. `cells`: by column name, in the columns' order,
    empty ones None. `raw`: the cells as text under the titles that the file gives them."""

    @property
    def number(self) -> int: ...
    @property
    def cells(self) -> Mapping[str, object]: ...
    @property
    def raw(self) -> Mapping[str, str]: ...


class FileSheet(Protocol):
    """A sheet of a file; a CSV has one, without a name."""

    @property
    def name(self) -> str: ...
    def rows(self, ignore: Callable[[FileRow], None]) -> Iterator[FileRow]:
        """Its rows, read as they are taken. `ignore` is called with those that are no customers. Raises
        FileProblemError where it can't be understood."""


class OpenedFile(Protocol):
    """A file's sheets. `problems`: what could not be understood of it, though the rest could.
    `hidden_sheets`: those that were passed over."""

    @property
    def problems(self) -> Sequence[str]: ...
    @property
    def hidden_sheets(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[FileSheet]: ...


class FileReader(Protocol):
    """Opens a store's CSV or workbook."""

    def __call__(self, path: Path, *, only_sheet: str | None = None) -> AbstractContextManager[OpenedFile]:
        """Raises FileProblemError: one line that names the file and says what to do."""
