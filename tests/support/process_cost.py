"""Runs a cleanup in its own process and measures it."""

import json
import subprocess
import sys
from typing import Any

from tests.support.program import Program


def measured(
    program: Program, environment: dict[str, str], *arguments: str
) -> tuple[dict[str, Any], float, float]:
    """The output of a command, its CPU seconds, which other load on the machine does not affect, and its
    peak memory in megabytes (VmHWM, proc(5))."""
    code = (
        f"import sys, time; sys.argv = ['syncctl', 'cleanup', *{arguments!r}]\n"
        "from syncctl.cli.app import main\n"
        "try: main()\n"
        "finally: print(open('/proc/self/status').read(), 'seconds', time.process_time(), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=program.folder,
        env=program.environment | environment,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    measured_values = {
        words[0]: words[1] for line in ended.stderr.splitlines() if len(words := line.split()) > 1
    }
    return json.loads(ended.stdout), float(measured_values["seconds"]), int(measured_values["VmHWM:"]) / 1024
