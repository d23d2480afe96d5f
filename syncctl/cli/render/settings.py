"""Renders the settings: grouped by origin on a terminal, one per line in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, escape, print_fields, print_result

if TYPE_CHECKING:
    from rich.console import Console

    from syncctl.cli.render.documents.checks import SettingsDocument
    from syncctl.ports.machine import SettingFact

_TITLES = {"default": "Defaults", "environment": "From the environment"}


def render_settings(settings: Sequence[SettingFact], *, as_json: bool) -> None:
    """The effective settings with their origins; secrets are masked."""
    if as_json:
        print_result(_document(settings))
    elif not sys.stdout.isatty():
        for setting in settings:
            problem = f"WRONG: {setting.problem}" if setting.problem else ""
            print_fields((f"{setting.name}={setting.value}", setting.origin, problem), styles={2: "red"})
    else:
        _screen(settings)


def _document(settings: Sequence[SettingFact]) -> SettingsDocument:
    return {
        "command": "config",
        "ok": not any(setting.problem for setting in settings),
        "settings": [
            {
                "name": setting.name,
                "value": setting.value,
                "origin": setting.origin,
                "problem": setting.problem,
            }
            for setting in settings
        ],
    }


def _screen(settings: Sequence[SettingFact]) -> None:
    out = console()
    origins = dict.fromkeys(setting.origin for setting in settings)
    width = max(len(setting.name) for setting in settings)
    for origin in sorted(origins, key=lambda origin: origin == "default"):
        out.print(f"[bold]{escape(_TITLES.get(origin, f'From {origin}'))}[/bold]", soft_wrap=True)
        for setting in settings:
            if setting.origin == origin:
                _print_setting(setting, width, out)


def _print_setting(setting: SettingFact, width: int, out: Console) -> None:
    """A value too long for the column is printed below its name, in one piece for copying."""
    from rich.padding import Padding

    mark = "[red]✗[/red] " if setting.problem else "  "
    value = escape(setting.value) or "[dim]not set[/dim]"
    beside = len(setting.value) <= out.width - width - 4
    out.print(f"{mark}{setting.name:<{width}}  {value if beside else ''}".rstrip())
    if not beside:
        out.print(f"    {value}", soft_wrap=True)
    if setting.problem:
        out.print(Padding(f"[red]{escape(setting.problem)}[/red]", (0, 0, 0, 4), expand=False))
