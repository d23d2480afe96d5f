"""`python -m tests.support.messages`: writes tests/unit/messages.txt, every text of the program by module.

A text is a string or f-string in syncctl/ with a blank between two words, docstrings aside. Holes are shown
as the code that fills them. What only machines read is left out: SQL, regular expressions, and the modules of
MADE_UP.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "syncctl"
FILE = Path(__file__).parents[1] / "unit" / "messages.txt"

MADE_UP = ("sandbox/data.py", "sandbox/stores.py", "sandbox/vocabulary.py")
"""Invented customers, shops and remarks: the sandbox's data, nothing that syncctl says."""

BEGIN = """\
Every text of the program by module, in the order of its code, with what is filled in as {code}.
Made by `python -m tests.support.messages`: read the difference aloud before it is committed.
"""

FOR_MACHINES = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|WHERE|CAST|CASE|AND|OR)\b"
    r"|.*(?:\(\?|\\[bsdwW]|\[\^|IN \(|\bIS NOT NULL\b|import sys|mode=)",
    re.DOTALL,
)
WORDS = re.compile(r"[^\W\d_].*\s\S|\S\s.*[^\W\d_]", re.DOTALL)


def snapshot() -> str:
    """The whole file."""
    parts = [BEGIN]
    for module in sorted(PROGRAM.rglob("*.py")):
        name = module.relative_to(PROGRAM).as_posix()
        if name not in MADE_UP and (texts := list(dict.fromkeys(_texts(module)))):
            parts.append("\n".join((f"## {name}", *texts, "")))
    return "\n".join(parts)


def _texts(module: Path) -> Iterator[str]:
    for text in _strings(ast.parse(module.read_text(encoding="utf-8"))):
        if WORDS.search(text) and not FOR_MACHINES.match(text):
            yield "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _strings(node: ast.AST) -> Iterator[str]:
    """The strings below a node, docstrings aside, in the code's order."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield "".join(map(_part, node.values))
            # A string within a hole is seen there; one with holes of its own is a line of its own.
            for each in ast.walk(node):
                if isinstance(each, ast.JoinedStr) and each is not node and not _is_format(each, node):
                    yield from _strings(each)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _strings(child)


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    hole = part.value if isinstance(part, ast.FormattedValue) else part
    if any(isinstance(each, ast.JoinedStr) for each in ast.walk(hole)):
        return "{…}"
    layout = getattr(part, "format_spec", None)
    shown = ":" + "".join(map(_part, layout.values)) if layout else ""
    return f"{{{ast.unparse(hole)}{shown}}}"


def _is_format(text: ast.JoinedStr, above: ast.JoinedStr) -> bool:
    """Whether it is the format behind the colon of a hole."""
    return any(getattr(each, "format_spec", None) is text for each in ast.walk(above))


def main() -> int:
    """Write the file. Gives the exit status."""
    FILE.write_text(snapshot(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
