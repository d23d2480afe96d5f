"""What code and docs refer to is there: pages, their quoted sections, anchors, source files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HERE = Path(__file__)

CODE = sorted(
    path
    for folder in ("syncctl", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if path != HERE
)
PAGES = sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md")))

NAMED = re.compile(
    r"(?<![\w/.-])(docs/)?((?:(?:contract|decisions|reference|images)/)?[\w-]+\.(?:md|toml|svg)|contract/reports)\b"
    r'(?:`?, "([^"]+)")?'
)
"""A page by its path, from the root or from docs/, and the section that is quoted behind it."""

LINK = re.compile(r"\]\(([^)\s]+)\)")
SOURCE = re.compile(r"`((?:syncctl|tests|benchmarks|docs)/[\w./-]*)`")
PROMISE = re.compile(r'architecture\.md, "Promises", (\d+)')
OUTSIDE = re.compile(r"(?<!\w)/[w]ork/|\b(?:design|interface)\.md|\bshared/(?:contract|cases)|\bpromise \d")
"""References to what is not in the repository, and to a promise without its page."""


def text_of(path: Path) -> str:
    """The text with comments' and lines' breaks taken out, so that a reference may be broken across lines."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\s*\n[ \t]*(?:# ?)?", " ", text) if path.suffix == ".py" else text


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link can go to, as GitHub makes it of headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def unresolved(text: str) -> Iterator[str]:
    """References to pages below docs/ that don't exist, or not with that section."""
    for prefix, name, section in NAMED.findall(text):
        page = next((each for each in (DOCS / name, ROOT / name) if each.exists()), None)
        if page is None and not prefix and "/" not in name:
            continue  # another program's file, such as one of a test's own
        if page is None:
            yield name
        elif section and page.suffix == ".md" and not has_section(page, section):
            yield f'{name}, "{section}"'


def has_section(page: Path, section: str) -> bool:
    return any(heading.lower().startswith(section.lower()) for heading in headings(page))


@pytest.mark.parametrize("folder", ["syncctl", "tests", "benchmarks"])
def test_what_the_code_refers_to_is_there(folder: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): missing
        for path in CODE
        if path.is_relative_to(ROOT / folder) and (missing := list(unresolved(text_of(path))))
    }
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    wrong = []
    for link in LINK.findall(text_of(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    wrong += [name for name in SOURCE.findall(text_of(page)) if not list(ROOT.glob(name))]
    assert wrong == []


def test_promises_are_named_by_a_number_that_there_is() -> None:
    listed = set(re.findall(r"^(\d)\. \*\*", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE))
    named = {number for path in CODE for number in PROMISE.findall(text_of(path))}
    assert len(listed) == 9
    assert named
    assert named <= listed


def test_nothing_refers_to_what_is_not_in_the_repository() -> None:
    others = [ROOT / "pyproject.toml", ROOT / ".ci" / "run", ROOT / "crontab.example", ROOT / ".env"]
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in (*CODE, *PAGES, *others)
        if (found := OUTSIDE.findall(text_of(path)))
    }
    assert wrong == {}


def test_every_decision_is_in_the_index_and_each_number_there_once() -> None:
    files = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    assert LINK.findall((DOCS / "decisions" / "README.md").read_text("utf-8")) == files
    assert len({name[:4] for name in files}) == len(files)


def test_the_packaged_locations_are_those_of_the_contract() -> None:
    packaged = ROOT / "syncctl" / "locations.toml"
    assert packaged.read_bytes() == (DOCS / "contract" / "locations.toml").read_bytes()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('read by contract/files.md, "Which store"', []),
        ('(docs/contract/rental-api.md, "Envelope"; docs/decisions/0001-identity.md)', []),
        ("by `contract/database.md` and the README.md", []),
        ("contract/lies.md and docs/lies.md", ["contract/lies.md", "lies.md"]),
        ('contract/files.md, "Which lie"', ['contract/files.md, "Which lie"']),
        ("decisions/0999-lies.md", ["decisions/0999-lies.md"]),
    ],
)
def test_what_does_not_resolve_is_seen(text: str, missing: list[str]) -> None:
    assert list(unresolved(text)) == missing
