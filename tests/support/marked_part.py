"""The generated part of a document between two marker comments."""

from dataclasses import dataclass


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
