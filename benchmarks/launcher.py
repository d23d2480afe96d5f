"""Runs the command that its arguments name and prints seconds, CPU seconds, peak kilobytes and exit status as
JSON.

A process of its own, and a small one: Linux counts the memory of whoever starts a process as that process's
own (getrusage(2), ru_maxrss), and a benchmark holds much.
"""

import json
import resource
import subprocess
import sys
import time

begun = time.perf_counter()
ended = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
wall_s = time.perf_counter() - begun
# Of the command and the processes that it started itself, as for a workbook: the sum, and the largest.
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu_s, peak_kb = used.ru_utime + used.ru_stime, used.ru_maxrss
json.dump({"wall_s": wall_s, "cpu_s": cpu_s, "peak_kb": peak_kb, "status": ended.returncode}, sys.stdout)
