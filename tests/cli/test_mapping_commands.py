"""MAPPING_FILE and `import columns` as users meet them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_reference import documented_keys
from tests.support.program import Program

ROWS = "Client;Cell no;Dt;Status;Colour\nAnju;9000012345;13-02-2025;Loss;red\n"


@pytest.fixture
def file(program: Program) -> Path:
    file = program.folder / "walkin_sg_kochi.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_from_a_strange_file_to_its_leads_without_a_release(program: Program, file: Path) -> None:
    looked = program.run("import", "columns", file.name)
    assert looked.status == 65
    assert "A\tClient\tleft over\tAnju" in looked.stdout.splitlines()
    assert '\n[columns.walkin]\n"Client" = "COLUMN"\n"Colour" = "COLUMN"\n' in looked.stdout
    refused = program.run("import", "walkin", file.name)
    assert refused.status == 65
    assert 'add to MAPPING_FILE: [columns.walkin] "Client" = "name"' in refused.stderr
    mapping = program.folder / "more.toml"
    mapping.write_text('[columns.walkin]\n"Client" = "name"\n', encoding="utf-8")
    environment = {"MAPPING_FILE": "more.toml"}
    refused = program.run("import", "walkin", file.name, **environment)
    assert 'add to MAPPING_FILE: [places] "kochi" = "Suitor Guy - Kochi"' in refused.stderr
    with mapping.open("a") as more:
        more.write('[places]\n"kochi" = "Suitor Guy - Kochi"\n')
    looked = program.run("import", "columns", file.name, **environment)
    assert looked.status == 0
    assert "A\tClient\tname\tAnju" in looked.stdout.splitlines()
    assert "B\tCell no\tphone\t90xxxxxx45" in looked.stdout.splitlines()
    imported = program.run("import", "walkin", file.name, "--json", **environment)
    assert (imported.status, json.loads(imported.stdout)["steps"][0]["saved"]) == (0, 1)


def test_columns_need_no_database_and_write_nothing(program: Program, file: Path) -> None:
    before = sorted(program.folder.rglob("*"))
    ended = program.run("import", "columns", file.name, "--json", DATABASE_URL="mongodb://127.0.0.1:1/leads")
    assert sorted(program.folder.rglob("*")) == before
    found = json.loads(ended.stdout)
    assert documented_keys("import columns") == [found.keys() - {"schema"}]
    assert (found["command"], found["ok"], found["schema"], found["kind"]) == (
        "import columns",
        False,
        1,
        "walkin",
    )
    (header,) = found["sheets"][0]["headers"]
    assert {each["letter"]: each["column"] for each in header["taken"]} == {
        "B": "phone",
        "C": "date",
        "D": "status",
    }


def test_the_kind_must_be_known(program: Program, file: Path) -> None:
    other = file.rename(program.folder / "november.csv")
    ended = program.run("import", "columns", other.name)
    assert ended.status == 2
    assert "give --kind walkin or --kind lossofsale" in ended.stderr
    assert program.run("import", "columns", other.name, "--kind", "bookings").status == 2
    missing = program.run("import", "columns", "december.csv")
    assert missing.status == 65
    assert "december.csv: there is no such file" in missing.stderr
    assert program.run("import", "columns", other.name, "--kind", "lossofsale").status == 65


def test_a_wrong_mapping_file_ends_every_command_with_78_and_its_line(program: Program, file: Path) -> None:
    (program.folder / "more.toml").write_text('[locations]\n7 = "Suitor Guy - Calicut"\n', encoding="utf-8")
    for command in (("import", "columns", file.name), ("status",), ("api",), ("verify", "data")):
        ended = program.run(*command, MAPPING_FILE="more.toml")
        assert ended.status == 78
        assert f"{program.folder / 'more.toml'}, line 2: one id with two stores" in ended.stderr
    doctor = program.run("doctor", MAPPING_FILE="more.toml")
    assert doctor.status == 1
    assert "line 2: one id with two stores" in doctor.stdout


def test_doctor_says_which_file_is_in_force_and_what_it_adds(program: Program) -> None:
    def line(**environment: str) -> str:
        return next(
            line
            for line in program.run("doctor", **environment).stdout.splitlines()
            if "\tMapping file" in line
        )

    assert line() == "ok\tMapping file: none (MAPPING_FILE is not set): the packaged stores and column titles"
    mapping = program.folder / "more.toml"
    mapping.write_text('[locations]\n950 = "Suitor Guy - Kochi"\n', encoding="utf-8")
    assert line(MAPPING_FILE="more.toml") == (
        f"ok\tMapping file: {mapping} adds [locations] 950 = Suitor Guy - Kochi"
    )
    mapping.write_text('[places]\npmna = "Perinthalmanna"\n', encoding="utf-8")
    assert line(MAPPING_FILE="more.toml").startswith("WARNING\tMapping file: ")
    mapping.write_text('[places]\npmna = "Perinthalmanna"\nkochi = "Kochi"\n', encoding="utf-8")
    assert "the packaged tables already have [places] pmna = Perinthalmanna" in line(MAPPING_FILE="more.toml")


def test_a_location_of_the_mapping_file_is_asked_by_id_and_by_name(program: Program) -> None:
    (program.folder / "more.toml").write_text('[locations]\n950 = "Suitor Guy - Kochi"\n', encoding="utf-8")
    for named in ("950", "kochi", "Suitor Guy - Kochi"):
        ended = program.run("booking", "--location", named, "--json", MAPPING_FILE="more.toml")
        assert json.loads(ended.stdout)["steps"][0]["locations"] == {"processed": 1, "total": 1}
    ended = program.run("booking", "--location", "Aluva", MAPPING_FILE="more.toml")
    assert ended.status == 2
    assert 'add to MAPPING_FILE: [locations] "ID" = "Suitor Guy - Aluva"' in ended.stderr
