"""Whatever is set: a value, or an error of a line or two that names the setting."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.errors import ExitCode, SettingsError
from syncctl.settings.settings import Settings, inspect_settings, load_settings
from syncctl.settings.specs import SPECS
from tests.chaos.garbage_target import fuzz
from tests.chaos.tally import tally
from tests.support.program import Program

# What a process may find in its environment: any text without NUL, and bytes that are not text.
texts = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=()), max_size=30),
    st.sampled_from(
        [
            *("mongodb://", "mongodb://a,b:99999/x", "sqlite:///", "mongodb+srv://h/n?a=%zz", "http://[::1"),
            *(
                "http://h:99999/",
                "*/5 * * * 8",
                "60 * * * *",
                "Asia/Nowhere",
                "../../etc/passwd",
                "1e5",
                "-1",
            ),
            *("nan", "inf", "٣", "9" * 500, "~nobody-there/x", "\udcff", "a" * 9000, "true false", "0x10"),
        ]
    ),
)
environments = st.dictionaries(
    st.sampled_from([name for spec in SPECS for name in spec.names]), texts, min_size=1, max_size=3
)


def problem_of(env_file: Path | None, environ: dict[str, str], folder: Path) -> str | None:
    """What is wrong with these settings, or None."""
    try:
        assert isinstance(load_settings(env_file, environ, folder), Settings)
    except SettingsError as error:
        return str(error)
    return None


def test_settings_of_garbage(tmp_path: Path, few_rounds: int) -> None:
    @fuzz(150 * few_rounds)
    @given(environments)
    def check(environ: dict[str, str]) -> None:
        tally.add("garbage settings")
        shown = inspect_settings(None, environ, tmp_path)
        for setting in shown:
            assert f"{setting.value} {setting.origin} {setting.problem}".encode()
        problem = problem_of(None, environ, tmp_path)
        assert (problem is not None) == any(setting.problem for setting in shown)
        if problem is not None:
            assert problem.encode()
            assert len(problem.splitlines()) <= 2
            assert any(name in problem for name in environ)

    check()


def test_settings_files_of_garbage(tmp_path: Path, few_rounds: int) -> None:
    names = st.sampled_from([spec.name for spec in SPECS])
    lines = st.tuples(names, st.binary(max_size=20)).map(lambda line: line[0].encode() + b"=" + line[1])

    @fuzz(50 * few_rounds)
    @given(st.lists(st.one_of(lines, st.binary(max_size=20)), max_size=4).map(b"\n".join))
    def check(content: bytes) -> None:
        tally.add("garbage settings")
        file = tmp_path / "garbage.env"
        file.write_bytes(content)
        problem = problem_of(file, {}, tmp_path)
        assert problem is None or len(problem.splitlines()) <= 2

    check()


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "mongodb://\udcff"), ("API_TIMEOUT_S", "nan"), ("API_SYNC_TIME", "* * * * \x1b[31m")],
    ids=["DATABASE_URL", "API_TIMEOUT_S", "API_SYNC_TIME"],
)
def test_a_process_with_a_setting_of_garbage_says_so_in_a_line_or_two(
    tmp_path: Path, name: str, value: str
) -> None:
    ended = Program(tmp_path).run("api", **{name: value})
    tally.add("garbage settings")
    assert ended.status == ExitCode.CONFIG
    assert ended.stdout == ""
    assert 1 <= len(ended.stderr.splitlines()) <= 2
    assert name in ended.stderr
    assert "\x1b" not in ended.stderr
