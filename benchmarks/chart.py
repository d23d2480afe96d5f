"""A picture of how commands grow: seconds over leads, both on logarithmic scales, a panel for each database,
as SVG that is readable on light and dark pages and without colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

PANEL, HEIGHT, NAMES = 330, 400, 190
"""Pixels: a panel's plot, and beside it the names of its lines."""

LEFT, TOP, BOTTOM = 62, 62, 48
NAME_HEIGHT = 15
NICE = (1, 2, 5)
STYLE = """
  svg { font: 12px system-ui, sans-serif; }
  .page { fill: #ffffff; }
  text { fill: #24292f; }
  .axis { fill: #57606a; }
  .grid { stroke: #d8dee4; }
  .guide { stroke: #8c959f; stroke-dasharray: 2 4; }
  .lead { stroke: #8c959f; stroke-width: .7; }
  .looks { stroke: #0969da; fill: #0969da; }
  .passes { stroke: #bc4c00; fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .axis { fill: #9198a1; }
    .grid { stroke: #2a313c; }
    .guide, .lead { stroke: #6e7681; }
    .looks { stroke: #58a6ff; fill: #58a6ff; }
    .passes { stroke: #f0883e; fill: #f0883e; }
  }
  .line { fill: none; stroke-width: 1.8; }
  .passes.line { stroke-dasharray: 7 3; }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel."""

    name: str

    points: Sequence[tuple[float, float]]
    """Leads and seconds, by leads; both above 0."""

    passes: bool
    """Drawn with dashes and squares; others with a plain line and circles."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic axis: where a value stands."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.least) / math.log(self.most / self.least)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> Iterator[float]:
        for power in range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1):
            yield from (tick for nice in NICE if self.least <= (tick := nice * 10.0**power) <= self.most)


def picture(panels: Sequence[tuple[str, Sequence[Series]]], title: str, description: str) -> str:
    """The SVG. `panels`: each database's lines. Each holds one line at least, of two points at least."""
    points = [point for _, lines in panels for line in lines for point in line.points]
    sizes, seconds = ([value for value, _ in points], [value for _, value in points])
    width = sum(LEFT + PANEL + NAMES for _ in panels)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + BOTTOM}" '
        f'role="img" aria-labelledby="growth-title growth-text">',
        f'<title id="growth-title">{escape(title)}</title>',
        f'<desc id="growth-text">{escape(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{TOP + HEIGHT + BOTTOM}"/>',
    ]
    for number, (name, lines) in enumerate(panels):
        left = number * (LEFT + PANEL + NAMES) + LEFT
        across = _Scale(min(sizes), max(sizes), left, left + PANEL)
        up = _Scale(min(seconds) / 1.3, max(seconds) * 1.3, TOP + HEIGHT, TOP)
        drawn += _panel(name, lines, across, up)
    return "\n".join((*drawn, "</svg>", ""))


def _panel(name: str, lines: Sequence[Series], across: _Scale, up: _Scale) -> Iterator[str]:
    yield f'<text x="{across.start:.1f}" y="22" font-size="15" font-weight="600">{escape(name)}</text>'
    yield _label((across.start, 40), "seconds; dashed: goes through all leads", "start")
    for tick in up.ticks():
        y = up.at(tick)
        yield _segment("grid", (across.start, y), (across.end, y))
        yield _label((across.start - 8, y + 4), f"{tick:g}", "end")
    for size in sorted({size for line in lines for size, _ in line.points}):
        x = across.at(size)
        yield _segment("grid", (x, up.start), (x, up.end))
        yield _label((x, up.start + 18), f"{size:,.0f}", "middle")
    middle = (across.start + across.end) / 2
    yield _label((middle, up.start + 38), "leads", "middle")
    yield from _guide(across, up)
    ends = {line.name: up.at(line.points[-1][1]) for line in lines}
    for line in lines:
        kind = "passes" if line.passes else "looks"
        places = [(across.at(size), up.at(seconds)) for size, seconds in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline class="{kind} line" points="{path}"/>'
        yield from (
            f'<rect class="{kind}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
            if line.passes
            else f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
            for x, y in places
        )
    for line_name, y in _apart(ends, up).items():
        yield _segment("lead", (across.end + 6, ends[line_name]), (across.end + 20, y))
        yield f'<text x="{across.end + 24:.1f}" y="{y + 4:.1f}">{escape(line_name)}</text>'


def _guide(across: _Scale, up: _Scale) -> Iterator[str]:
    """What grows as the leads do, through the panel's middle."""
    growth = across.most / across.least
    middle = math.sqrt(up.least * up.most)
    room = min(growth, up.most / up.least)
    # As long a piece of the line as fits between the panel's floor and ceiling.
    half = math.sqrt(room)
    centre = math.sqrt(across.least * across.most)
    start, end = ((across.at(centre * factor), up.at(middle * factor)) for factor in (1 / half, half))
    yield _segment("guide", start, end)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    yield (
        f'<text class="axis" font-size="11" text-anchor="middle" dy="-5" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f})">twice as many, twice as long</text>'
    )


def _label(at: tuple[float, float], text: str, anchor: str) -> str:
    return f'<text class="axis" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">{text}</text>'


def _segment(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    return (
        f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
    )


def _apart(ends: dict[str, float], up: _Scale) -> dict[str, float]:
    """Where the lines' names stand, from the top: at their ends, but none on another."""
    placed: dict[str, float] = {}
    lowest = up.end - NAME_HEIGHT
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        lowest = placed[name] = max(y, lowest + NAME_HEIGHT)
    # What was pushed out of the panel moves up again, with those above it.
    limit = up.start
    for name in reversed(placed):
        placed[name] = min(placed[name], limit)
        limit = placed[name] - NAME_HEIGHT
    return placed
