"""METRICS_FILE after real runs, however they end."""

import time
from pathlib import Path

import pytest

from syncctl.run_lock import RunLock
from syncctl.sandbox import Fault, Sandbox
from tests.support.program import Program
from tests.unit.monitoring.test_metrics import values

STATUS = ("syncctl_exit_status", ())
AT = ("syncctl_last_run_timestamp_seconds", ())
SUCCESS = "syncctl_last_success_timestamp_seconds"


@pytest.fixture
def file(program: Program, sandbox: Sandbox) -> Path:
    (program.folder / "m").mkdir()
    program.write_env(
        API_BASE_URL=sandbox.base_url,
        API_CALL_DELAY_MS=0,
        API_MIN_BACKOFF_S=0.01,
        METRICS_FILE="m/syncctl.prom",
    )
    return program.folder / "m" / "syncctl.prom"


def test_a_sync_then_what_keeps_others_from_it(program: Program, sandbox: Sandbox, file: Path) -> None:
    assert program.run("api").status == 0
    first = values(file)
    assert first[STATUS] == 0
    for step in ("stores", "booking", "return"):
        assert first[SUCCESS, (("step", step),)] == pytest.approx(first[AT], abs=5)
    assert first["syncctl_rows", (("step", "booking"), ("outcome", "saved"))] > 0
    assert {labels[0] for name, labels in first if "watermark" in name} == {
        ("report", "booking"),
        ("report", "return"),
    }

    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        assert program.run("api").status == 75
    assert values(file) == first | {STATUS: 75, AT: values(file)[AT]}

    sandbox.set_faults(Fault("404", api="booking"))
    assert program.run("api").status == 1
    failed = values(file)
    assert failed[STATUS] == 1
    assert failed[SUCCESS, (("step", "booking"),)] == first[SUCCESS, (("step", "booking"),)]
    assert failed[SUCCESS, (("step", "return"),)] > first[SUCCESS, (("step", "return"),)]

    assert program.run("api", "--dry-run").status == 1
    assert values(file) == failed


@pytest.mark.parametrize(
    ("status", "environment"),
    [(69, {"DATABASE_URL": "sqlite:////proc/no/such.db"}), (78, {"API_TIMEOUT_S": "soon"})],
)
def test_a_run_that_is_refused(
    program: Program, file: Path, status: int, environment: dict[str, str]
) -> None:
    assert program.run("booking", **environment).status == status
    assert values(file)[STATUS] == status
    assert values(file)[AT] > 0


def test_a_run_that_is_interrupted(program: Program, sandbox: Sandbox, file: Path) -> None:
    assert program.run("api").status == 0
    before = values(file)
    sandbox.set_faults(Fault("slow", api="booking"))
    since = len(sandbox.requests)
    with program.start("api") as process:
        while not any(call.api == "booking" for call in sandbox.requests[since:]):
            time.sleep(0.02)
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 143
    assert values(file)[STATUS] == 143
    booking = (SUCCESS, (("step", "booking"),))
    assert values(file)[booking] == before[booking]


def test_an_import(program: Program, file: Path) -> None:
    sheet = program.folder / "walkin_z_edappally.csv"
    sheet.write_text("Date,Name,Phone\n09-10-2025,Anagha,9400000001\n,Nobody,\n", encoding="utf-8")
    assert program.run("import", "walkin", str(sheet), "--preview", "p.csv").status == 0
    assert not file.exists()
    program.run("import", "walkin", str(sheet))
    assert values(file)["syncctl_rows", (("step", "walkin"), ("outcome", "saved"))] == 1
    assert values(file)["syncctl_rejects", ()] == 1


def test_a_file_that_can_t_be_written_costs_a_warning(program: Program, file: Path) -> None:
    ended = program.run("stores", METRICS_FILE="missing/syncctl.prom")
    assert ended.status == 0
    assert "WARN  METRICS_FILE " in ended.stderr
    assert "No such file or directory" in ended.stderr


def test_a_file_of_another_setting_is_refused(program: Program, file: Path) -> None:
    ended = program.run("stores", METRICS_FILE="data/syncctl.lock")
    assert ended.status == 78
    assert "METRICS_FILE" in ended.stderr
