"""The generated part of a document between two marker comments."""

import sys
from dataclasses import dataclass
from pathlib import Path


class MarkerError(Exception):
    """The document lacks the markers; the message says which."""


@dataclass(frozen=True, slots=True)
class MarkedPart:
    """The lines that stand before and after the part."""

    begin: str
    end: str

    def put_in(self, document: str, made: str) -> str:
        """The document with `made` between the markers. Raises MarkerError if they are missing."""
        before, begin, rest = document.partition(self.begin)
        _, end, after = rest.partition(self.end)
        if not (begin and end):
            raise MarkerError(f"the file lacks the lines {self.begin} and {self.end}.")
        return f"{before}{self.begin}\n{made}\n{self.end}{after}"

    def publish(self, made: str, file: Path | None) -> None:
        """Put `made` into the file, or print it where none is given. Raises MarkerError and OSError."""
        if file:
            file.write_text(self.put_in(file.read_text("utf-8"), made), "utf-8")
        else:
            sys.stdout.write(f"{made}\n")
