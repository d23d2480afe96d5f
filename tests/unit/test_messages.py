"""Every text of the program in one file that a person can read, and phrases that no text may have."""

import re
from pathlib import Path

import pytest

from tests.support.messages import FILE, snapshot

REWRITE = "python -m tests.support.messages"
ROOT = Path(__file__).parents[2]
READ = (FILE, *(path for folder in ("", "docs", "docs/reference") for path in (ROOT / folder).glob("*.md")))
"""The texts, help texts (commands.md) and docs for users. The contract is not ours to change; decisions are
history, and the changelog quotes what was."""

FORBIDDEN = {
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b)\w+": "isn't a …, aren't …",
    r"\b(?:un)?told\b|\btells\b": "says, shows, has",
    r"\bby yourself\b": "check …",
    r"\bput (?:it|that|this|them) right\b": "fix …",
    r"\bwhat came of\b|\bwhat became of\b(?! (?:a|one|the) )": "the result",
    r"\bbe it (?:that|a|an)\b|\bas it shall\b|\blest\b|\bthereof\b|\bwhence\b": "plain words",
    r"\b(?:nobody knows when|cron knows no)\b": "unknown; doesn't support",
    r"\bis not obeyed\b": "was not used",
    r"\b(?:else|otherwise|another \w+) than\b": "other than",
    r"\bso that there\b": "so there",
    r"\bbelongs? into\b": "belongs in",
    r"\bAPI's people\b": "the API's provider",
    r"\bstands? (?:there|in place of)\b": "is in the cell; where … should be",
    r"\bnothing tells\b|\bfurther rows\b|\bas a whole, only parts\b": "see the messages of today",
    r"\ball 1 \w+s\b|\b1 (?:rows|leads|sets|copies|locations|files|stores)\b": "quantity(), plural()",
}
"""What a native speaker would not write, and what instead."""


def test_the_snapshot_is_what_the_program_says() -> None:
    assert FILE.read_text(encoding="utf-8") == snapshot(), (
        f"texts changed: `{REWRITE}`, and read the difference"
    )


@pytest.mark.parametrize("phrase", FORBIDDEN)
def test_no_text_has_a_phrase_that_people_stumble_over(phrase: str) -> None:
    found = [
        (page.name, line)
        for page in READ
        for line in page.read_text(encoding="utf-8").splitlines()
        if page.name != "CHANGELOG.md" and re.search(phrase, line, re.IGNORECASE)
    ]
    assert not found, f"say instead: {FORBIDDEN[phrase]}"


@pytest.mark.parametrize(
    "text",
    [
        "--from 2026 is no day",
        "/x is no backup",
        "Put it right: nothing runs without it.",
        "Look by yourself what starts it",
        "nothing tells the store of it",
        "never as a whole, only parts were synced so far",
        "72 further rows of these",
        "all 1 locations failed",
    ],
)
def test_the_phrases_are_found(text: str) -> None:
    assert any(re.search(phrase, text, re.IGNORECASE) for phrase in FORBIDDEN)
