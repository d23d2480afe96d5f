"""Tab in real shells: a command, a run id, a store's name, a setting, a file."""

import shlex
import shutil
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
from syncctl.cli.help import completion
from syncctl.cli.main import main
completion.LONGEST_S = 60.0
main()
"""
"""The program, on a machine that may be busy."""


ZSH = """
compdef() {}
_files() { print files }
_describe() { print -rl -- ${(P)3} }
source <("$PROGRAM" completion zsh)
ask() { words=("$@"); CURRENT=$#; _syncctl }
"""
"""In zsh the shell's own functions only show what they would be given: they work nowhere but at a prompt."""

FISH = """
fish_add_path --path "$PWD"
"$PROGRAM" completion fish | source
"""


class Shell:
    """Asks a shell what it offers for a line."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.starter = program.folder / "syncctl"
        self.starter.write_text(f"#!{sys.executable}\n{PATIENT}", encoding="utf-8")
        self.starter.chmod(0o700)

    def says(self, *command: str) -> list[str]:
        ended = subprocess.run(
            command,
            cwd=self._program.folder,
            env={**self._program.environment, "PROGRAM": str(self.starter)},
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        assert ended.stderr == ""
        return ended.stdout.splitlines()


def installed(shell: str) -> str:
    """The shell's path. Skips the test where there is none."""
    return shutil.which(shell) or pytest.skip(f"{shell} is not installed here (apt install {shell})")


@pytest.fixture
def run_id(program: Program) -> str:
    assert program.run("stores").status == 0
    return program.run("history", "--json").stdout.partition('"run_id": "')[2].partition('"')[0]


@pytest.mark.slow
def test_bash_completes(program: Program, run_id: str) -> None:
    shell = Shell(program)
    me = str(shell.starter)

    def offered(line: str) -> list[str]:
        return shell.says("/bin/bash", "--norc", "-c", f"{ASK}\nask {line}")

    assert offered(f"{me} stat") == ["status"]
    assert offered(f"{me} history {run_id[:2]}") == [run_id]
    assert offered(f"{me} api --location 'Suitor\\ Guy\\ -\\ MG'") == [r"Suitor\ Guy\ -\ MG\ Road"]
    assert offered(f'{me} api --location "\'Suitor Guy - MG"') == ["Suitor Guy - MG Road"]
    assert offered(f"{me} config API_MAX_T") == ["API_MAX_TRIES"]
    assert offered(f"{me} rejects export x")[0] == "compopt -o default"
    assert offered(f"{me} nosuch ''") == [""]


@pytest.mark.slow
def test_zsh_completes(program: Program, run_id: str) -> None:
    zsh, shell = installed("zsh"), Shell(program)
    me = str(shell.starter)

    def offered(line: str) -> list[str]:
        return [each.partition(":")[0] for each in shell.says(zsh, "-f", "-c", f"{ZSH}\nask {me} {line}")]

    assert offered("stat") == ["status"]
    assert offered(f"history {run_id[:2]}") == [run_id]
    assert offered(r"api --location Suitor\ Guy\ -\ MG") == ["Suitor Guy - MG Road"]
    assert offered("config API_MAX_T") == ["API_MAX_TRIES"]
    assert offered("rejects export x") == ["files"]


@pytest.mark.slow
def test_fish_completes(program: Program, run_id: str) -> None:
    fish, shell = installed("fish"), Shell(program)
    (program.folder / "xyz.csv").touch()

    def offered(line: str) -> list[str]:
        asked = f"{FISH}\ncomplete --do-complete {shlex.quote(f'syncctl {line}')}"
        return [each.partition("\t")[0] for each in shell.says(fish, "--no-config", "-c", asked)]

    assert offered("stat") == ["status"]
    assert offered(f"history {run_id[:2]}") == [run_id]
    assert offered(r"api --location Suitor\ Guy\ -\ MG") == ["Suitor Guy - MG Road"]
    assert offered("config API_MAX_T") == ["API_MAX_TRIES"]
    assert offered("rejects export xy") == ["xyz.csv"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(program: Program, shell: str) -> None:
    ended = program.run("completion", shell)
    assert (ended.status, ended.stderr) == (0, "")
    assert f"syncctl completion {shell} >" in ended.stdout
    if path := shutil.which(shell):
        checked = subprocess.run([path, "-n"], input=ended.stdout, text=True, capture_output=True, check=True)
        assert checked.stderr == ""
