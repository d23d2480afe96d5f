"""`report`: on the screen, as JSON, and as a page that a real browser shows."""

import json
import re
import shutil
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox
from tests.support.program import Program

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Outside(HTMLParser):
    """Collects what a page would fetch, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "action"}]
        self.found += [tag] if tag in {"script", "link", "iframe", "img"} else []


@pytest.fixture
def month(program: Program, sandbox: Sandbox) -> str:
    """The month in which the sandbox has bookings, which are synced."""
    assert program.run("api").status == 0
    return f"{sandbox.today:%Y-%m}"


def test_the_figures_add_up_on_each_way_out(program: Program, month: str) -> None:
    document = json.loads(program.run("report", "--month", month, "--json").stdout)
    assert (document["command"], document["month"]) == ("report", month)
    assert document["leads"] == sum(document["by_type"].values()) > 0
    assert document["leads"] == sum(n for day in document["by_day"].values() for n in day.values())
    assert document["leads"] == sum(n for store in document["stores"] for n in store["by_week"].values())
    assert sum(day["succeeded"] for day in document["runs"].values()) == 1
    lines = program.run("report", "--month", month).stdout.splitlines()
    assert f"leads\t{document['leads']:,}" in lines
    assert sum(line.startswith("store\t") for line in lines) == len(document["stores"])
    screen = program.run_on_terminal("report", "--month", month, columns=120).output
    assert f"Leads  {document['leads']:,}" in re.sub(r" {2,}", "  ", screen)


def test_a_month_that_has_not_begun_is_refused(program: Program, month: str) -> None:
    later = f"{int(month[:4]) + 1}-01"
    refused = program.run("report", "--month", later)
    assert (refused.status, f"--month {later} hasn't begun yet" in refused.stderr) == (2, True)


def test_a_page_that_needs_nothing_else(program: Program, month: str) -> None:
    ended = program.run("report", "--month", month, "--html", "month.html")
    assert (ended.status, ended.stdout) == (0, "")
    file = program.folder / "month.html"
    page = file.read_text(encoding="utf-8")
    outside = Outside()
    outside.feed(page)
    assert outside.found == []
    assert "url(" not in page
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not re.search(r"\d{10}", page)
    assert program.run("report", "--month", month, "--html", "-").stdout.rstrip("\n") == page.rstrip("\n")
    assert "--force" in program.run("report", "--month", month, "--html", "month.html").stderr
    assert program.run("report", "--month", month, "--html", "month.html", "--force").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--month", "2026-13"), "isn't a month"),
        (("--html", "x.html", "--json"), "Use either"),
        (("--force",), "--force goes with --html"),
    ],
)
def test_what_makes_no_sense(program: Program, arguments: tuple[str, ...], said: str) -> None:
    ended = program.run("report", *arguments)
    assert ended.status == 2
    assert said in ended.stderr


def test_without_jinja_it_says_what_to_install(program: Program) -> None:
    (program.folder / "jinja2.py").write_text("raise ImportError")
    ended = program.run("report", "--html", "x.html", PYTHONPATH=str(program.folder))
    assert ended.status == 2
    assert "pip install Jinja2" in ended.stderr
    assert program.run("report", PYTHONPATH=str(program.folder)).status == 0


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install Debian's package chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it_without_scrolling_sideways(
    program: Program, month: str, tmp_path: Path, width: int
) -> None:
    file = program.folder / "month.html"
    program.run("report", "--month", month, "--html", str(file))
    # A frame of the wanted width: a headless window is never narrower than 500 pixels.
    probe = program.folder / "probe.html"
    probe.write_text(
        f'<iframe id="page" src="month.html" width="{width}" height="800"></iframe><p id="said"></p>'
        "<script>onload = () => {"
        " const root = document.getElementById('page').contentDocument.documentElement;"
        " document.getElementById('said').textContent ="
        " `${root.scrollWidth} ${root.querySelectorAll('svg rect').length}`; }</script>",
        encoding="utf-8",
    )
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    ended = subprocess.run(
        [str(CHROMIUM), *QUIET, profile, "--allow-file-access-from-files", "--dump-dom", probe.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = re.search(r'id="said">(\d+) (\d+)<', ended.stdout)
    assert said is not None, ended.stdout
    assert int(said[1]) <= width
    assert int(said[2]) > 0


def test_jinja_is_not_loaded_by_other_commands(program: Program) -> None:
    code = "import sys, syncctl.cli.app; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
