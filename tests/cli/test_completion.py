"""Tab in a real bash: a command, a run id, a store's name."""

import subprocess
import sys

import pytest

from tests.support.program import Program

ASK = """
source <("$PROGRAM" completion bash)
compopt() { echo "compopt $*"; }
ask() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _syncctl "$1" "${@: -1}"
  printf '%s\\n' "${COMPREPLY[@]}"
}
"""

PATIENT = """
from syncctl.cli.help import values
from syncctl.cli.main import main
values.LONGEST_S = 60.0
main()
"""
"""The program, on a machine that may be busy."""


def test_bash_completes(program: Program) -> None:
    assert program.run("api").status == 0
    run_id = program.run("history", "--json").stdout.partition('"run_id": "')[2].partition('"')[0]
    starter = program.folder / "syncctl"
    starter.write_text(f"#!{sys.executable}\n{PATIENT}", encoding="utf-8")
    starter.chmod(0o700)

    def offered(line: str) -> list[str]:
        ended = subprocess.run(
            ["/bin/bash", "--norc", "-c", f"{ASK}\nask {line}"],
            cwd=program.folder,
            env={**program.environment, "PROGRAM": str(starter)},
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        assert ended.stderr == ""
        return ended.stdout.splitlines()

    me = str(starter)
    assert offered(f"{me} stat") == ["status"]
    assert offered(f"{me} history {run_id[:2]}") == [run_id]
    assert offered(f"{me} api --location 'Suitor\\ Guy\\ -\\ MG'") == [r"Suitor\ Guy\ -\ MG\ Road"]
    assert offered(f'{me} api --location "\'Suitor Guy - MG"') == ["Suitor Guy - MG Road"]
    assert offered(f"{me} rejects export x")[0] == "compopt -o default"
    assert offered(f"{me} nosuch ''") == [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(program: Program, shell: str) -> None:
    ended = program.run("completion", shell)
    assert (ended.status, ended.stderr) == (0, "")
    assert f"syncctl completion {shell} >" in ended.stdout
