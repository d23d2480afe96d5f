"""The installed and distributed packages: tested versions, pinned hashes, complete archives."""

import re
import subprocess
import sys
import tarfile
import tomllib
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
IN_THE_SDIST = ("syncctl", "tests", "benchmarks", "docs", ".ci")
BESIDE_THEM = (
    ".env",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Containerfile",
    "LICENSE",
    "README.md",
    "constraints.txt",
    "crontab.example",
    "pyproject.toml",
)


def dependencies() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(each) for each in project["dependencies"]]


def pinned(file: Path) -> dict[str, Version]:
    """The one version of each package that a requirements file names."""
    found: dict[str, Version] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([\w.]+)", line):
            assert match[1] not in found
            found[match[1]] = Version(match[2])
    return found


def test_ci_tests_with_exactly_the_lowest_versions() -> None:
    lowest = {}
    for dependency in dependencies():
        (bound,) = [each.version for each in dependency.specifier if each.operator == ">="]
        lowest[dependency.name] = Version(bound)
    assert pinned(ROOT / ".ci" / "lowest.txt") == lowest


def test_every_dependency_can_be_deployed_in_a_version_that_is_allowed() -> None:
    versions = pinned(ROOT / "constraints.txt")
    for dependency in dependencies():
        assert versions[dependency.name] in dependency.specifier, dependency


def test_whatever_is_deployed_is_known_by_its_hashes() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(packages) > len(dependencies())  # what they need in turn, too
    hashes = {
        package.split("==")[0]: len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", package))
        for package in packages
    }
    assert all(hashes.values())
    assert hashes["pymongo"] > 50  # a wheel for each machine, not only for that which made the file
    assert "-index-url" not in text


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def in_the_sdist(folder: Path) -> dict[str, bytes]:
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        opened = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return {name.partition("/")[2]: file.read() for name, file in opened.items() if file}


@pytest.mark.slow
def test_tests_and_benchmarks_run_from_the_source_archive(distributions: Path) -> None:
    """All that they are is in it; that they run, .ci/run tries."""
    found = in_the_sdist(distributions)
    here = {
        str(path.relative_to(ROOT))
        for name in IN_THE_SDIST
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here | set(BESIDE_THEM) <= found.keys()
    assert found["constraints.txt"] == (ROOT / "constraints.txt").read_bytes()


@pytest.mark.slow
def test_no_secret_is_in_the_source_archive(distributions: Path) -> None:
    found = in_the_sdist(distributions)
    assert ".env.local" not in {Path(name).name for name in found}
    assert not any(name.startswith("data/") for name in found)


def test_both_tell_the_licence(distributions: Path) -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    (path,) = distributions.glob("*.whl")
    with ZipFile(path) as wheel:
        (folder,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
        check_metadata(message_from_bytes(wheel.read(f"{folder}/METADATA")))
        assert wheel.read(f"{folder}/licenses/LICENSE") == licence
        # Nothing else would be installed beside the program.
        assert {name.partition("/")[0] for name in wheel.namelist()} == {"syncctl", folder}
    found = in_the_sdist(distributions)
    check_metadata(message_from_bytes(found["PKG-INFO"]))
    assert found["LICENSE"] == licence


def check_metadata(metadata: Message) -> None:
    assert metadata["License-Expression"] == "ISC"
    assert metadata.get_all("License-File") == ["LICENSE"]
