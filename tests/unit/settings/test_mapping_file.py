"""The mapping file: what it adds to the packaged tables, and what it must not say."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError
from syncctl.locations import load_locations
from syncctl.settings.mapping_file import MappingFile, read_mapping_file
from syncctl.settings.settings import inspect_settings, load_settings

Read = Callable[[str], MappingFile]

EVERYTHING = """\
# A new shop, a new brand, another spelling, new titles
[locations]
950 = "Suitor Guy - Kochi Fort"
"951" = "Bridal Bay - Kochi Fort"

[brands]
"Bridal Bay" = ["bb", "bridal bay"]
"Zorucci" = ["zr"]

[places]
"fort kochi" = "Kochi Fort"
"aluva" = "Zorucci - Aluva"

[columns.walkin]
"Cell & Landline" = "phone"
'Client' = "name"

[columns.lossofsale]
"Why not" = "reason"
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(text: str) -> MappingFile:
        file = tmp_path / "mapping.toml"
        file.write_text(text, encoding="utf-8")
        return read_mapping_file(file)

    return write_and_read


def test_what_it_adds(read: Read) -> None:
    mapping = read(EVERYTHING)
    locations = mapping.locations
    assert locations.store_of("950") == "Suitor Guy - Kochi Fort"
    assert locations.store_of("951", "anything") == "Bridal Bay - Kochi Fort"
    assert locations.store_of("7") == "Suitor Guy - Perinthalmanna"
    assert locations.canonical("BB. fort  kochi") == "Bridal Bay - Kochi Fort"
    assert locations.canonical("fort kochi") == "Suitor Guy - Kochi Fort"
    assert locations.canonical("zr calicut") == "Zorucci - Calicut"
    assert {"Zorucci - Aluva", "Suitor Guy - Kochi Fort"} <= locations.store_names
    assert mapping.titles[StepName.WALKIN].columns_of(["CELL/LANDLINE", "client", "Why not"]) == {
        "phone": [0],
        "name": [1],
    }
    assert mapping.titles[StepName.LOSS_OF_SALE].columns_of(["why not", "Client"]) == {"reason": [0]}
    assert all(entry.is_new for entry in mapping.entries)
    assert mapping.fingerprint


@pytest.mark.parametrize(
    "written", ["aluva", "ALUVA", "z.aluva", "Zorucci - Aluva", "zr aluva", "zurocci aluva"]
)
def test_a_place_can_mean_one_store(read: Read, written: str) -> None:
    assert read(EVERYTHING).locations.canonical(written) == "Zorucci - Aluva"


def test_under_another_brand_it_is_another_store(read: Read) -> None:
    assert read(EVERYTHING).locations.canonical("sg aluva") == "Suitor Guy - Aluva"


def test_two_brands_can_have_a_shop_in_one_place(read: Read) -> None:
    locations = read('[places]\n"sg kochi" = "Suitor Guy - Kochi"\n"z kochi" = "Zorucci - Kochi"\n').locations
    assert locations.canonical("SG.Kochi") == "Suitor Guy - Kochi"
    assert locations.canonical("zorucci kochi") == "Zorucci - Kochi"


def test_a_store_is_spelled_as_the_packaged_tables_do(read: Read) -> None:
    mapping = read('[places]\n"kotakal" = "SUITOR GUY - Kottakal"\n[locations]\n999 = "z - mg ROAD"\n')
    assert mapping.locations.canonical("kotakal") == "Suitor Guy - Kottakkal"
    assert mapping.locations.store_of("999") == "Zorucci - MG Road"


def test_what_the_packaged_tables_have_may_be_said_again(read: Read) -> None:
    mapping = read(
        '[locations]\n7 = "Suitor Guy - Perinthalmanna"\n[brands]\n"suitor guy" = ["SG"]\n'
        '[places]\ntrissur = "Thrissur"\n"sg calicut" = "Suitor Guy - Calicut"\n'
        '[columns.walkin]\nContact = "phone"\n'
    )
    assert not any(entry.is_new for entry in mapping.entries)
    assert mapping.fingerprint == ""
    assert mapping.locations.store_names == load_locations().store_names


def test_an_empty_file_adds_nothing(read: Read) -> None:
    assert read("# nothing yet\n").locations == load_locations()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[places]\n"kochi" "Kochi"\n', 2, "isn't valid TOML"),
        ("[places]\nkochi = 'Kochi", 2, "isn't valid TOML"),
        ('[locations]\n950 = "Suitor Guy - A"\n950 = "Suitor Guy - B"\n', 3, "isn't valid TOML"),
        ('\n[stores]\n1 = "x"\n', 2, "no table [stores]"),
        ('places = "x"\n', 1, "a table is expected"),
        ('[columns.bookings]\n"A" = "name"\n', 1, "no table [columns.bookings]"),
        ('[columns]\n"A" = "name"\n', 2, "no table [columns.A]"),
        ('[columns.walkin]\n"A" = "phones"\n', 2, '"phones" is not a column of walk-in files'),
        ('[columns.walkin]\n# why\n"A" = "reason"\n', 3, '"reason" is not a column of walk-in files'),
        ('[columns.walkin]\n"A" = ["name"]\n', 2, "a text is expected"),
        ('[columns.walkin]\n"--" = "name"\n', 2, "a column's title is expected"),
        ('[columns.walkin]\n"Contact" = "name"\n', 2, 'two meanings: the packaged tables say "phone"'),
        ('[columns.walkin]\n"Client" = "name"\n"CLIENT." = "phone"\n', 3, 'two meanings: line 2 says "name"'),
        ('[locations]\n7 = "Suitor Guy - Calicut"\n', 2, "one id with two stores"),
        ('[locations]\n950 = "Calicut"\n', 2, "a store is expected"),
        ('[locations]\n950 = "Suitor Guy - "\n', 2, "a store is expected"),
        ('[locations]\n950 = "Suiter Guy - Calicut"\n', 2, '"Suiter Guy" is not a brand'),
        ("[locations]\n950 = 7\n", 2, "a text is expected"),
        ('[locations]\n950.1 = "Suitor Guy - Calicut"\n', 2, "a text is expected"),
        ('[locations]\n"9 50" = "Suitor Guy - Calicut"\n', 2, "a location id is expected"),
        ('[brands]\n"Bridal Bay" = "bb"\n', 2, "a list of texts is expected"),
        ('[brands]\n"Bridal Bay" = ["sg"]\n', 2, 'two meanings: the packaged tables say "Suitor Guy"'),
        ('[brands]\n"Bridal Bay" = ["mg"]\n', 2, 'the place "mg road" would be read as that brand'),
        ('[brands]\n"A - B" = ["ab"]\n', 2, "a brand is expected"),
        ('[brands]\n"A" = ["!"]\n', 2, "no letter or digit"),
        ('[places]\n"edappally" = "Edappal"\n', 2, 'two meanings: the packaged tables say "Edappally"'),
        ('[places]\n"edappally" = "Zorucci - Edappally"\n', 2, "two meanings: the packaged tables say"),
        (
            '[places]\n"Kochi" = "Zorucci - Kochi"\n"kochi" = "Suitor Guy - Kochi"\n',
            3,
            "two meanings: line 2",
        ),
        ('[places]\n"a" = "B"\n"b" = "C"\n', 2, 'two meanings: line 3 says "C"'),
        ('[places]\n"b" = "C"\n"a" = "B"\n', 3, 'two meanings: line 2 says "C"'),
        ('[places]\n"a" = "Suitor Guy - B"\n"b" = "Suitor Guy - C"\n', 3, "two meanings: line 2"),
        (
            '[locations]\n950 = "Suitor Guy - Kochi"\n[places]\n"kochi" = "Suitor Guy - Fort"\n',
            4,
            "two meanings: line 2",
        ),
        ('[places]\n"sg kochi" = "Kochi"\n', 2, "a store is expected"),
        ('[places]\n"kochi" = "SG Kochi"\n', 2, "a store is expected"),
        ('[places]\n"kochi" = ""\n', 2, "texts of 1 to 60 visible characters"),
        (f'[places]\n"kochi" = "{"x" * 61}"\n', 2, "texts of 1 to 60 visible characters"),
        ('[places]\n"kochi" = "a\\u001b[31m"\n', 2, "visible characters"),
        ('[places]\n"..." = "Kochi"\n', 2, "no letter or digit"),
        ('columns = { walkin = { "A" = "nothing" } }\n', 1, '"nothing" is not a column'),
        ('columns.walkin."A" = "nothing"\n', 1, '"nothing" is not a column'),
        ("[[[" * 40_000, 1, "isn't valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(
    read: Read, tmp_path: Path, text: str, line: int, what: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        read(text)
    message = str(wrong.value)
    assert message.startswith(f"{tmp_path / 'mapping.toml'}, line {line}: ")
    assert what in message
    assert message.isprintable()
    assert "Traceback" not in message


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), min_size=1, max_size=12).filter(
    str.isprintable
)


@given(
    st.dictionaries(TEXTS, st.sampled_from(["Kochi", "Suitor Guy - Kochi", "Zorucci - X y", "Calicut"])),
    TEXTS,
)
def test_every_store_of_a_table_that_is_taken_is_canonical(
    tmp_path_factory: pytest.TempPathFactory, places: dict[str, str], written: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    lines = [f'"{key}" = "{value}"' for key, value in places.items()]
    file.write_text("\n".join(["[places]", *lines, ""]), encoding="utf-8")
    try:
        locations = read_mapping_file(file).locations
    except SettingsError as wrong:
        assert re.search(r", line \d+: ", str(wrong))  # noqa: PT017 - one of two outcomes
        return
    for store in locations.store_names:
        assert locations.canonical(store) == store
    packaged = load_locations()
    for known in (*packaged.store_names, *packaged.places):
        assert locations.canonical(known) == packaged.canonical(known)
    if (canonical := locations.canonical(written)) in locations.store_names:
        assert locations.canonical(str(canonical)) == canonical


def test_a_relative_path_is_relative_to_the_settings_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / ".env").write_text("MAPPING_FILE=tables/more.toml\n")
    (folder / "tables").mkdir()
    (folder / "tables" / "more.toml").write_text('[locations]\n950 = "Suitor Guy - Kochi"\n')
    settings = load_settings(folder / ".env", environ={}, cwd=tmp_path)
    assert settings.mapping is not None
    assert settings.mapping.path == folder / "tables" / "more.toml"
    assert settings.mapping.locations.store_of("950") == "Suitor Guy - Kochi"
    (shown,) = [
        each for each in inspect_settings(folder / ".env", {}, tmp_path) if each.name == "MAPPING_FILE"
    ]
    assert shown.value == str(folder / "tables" / "more.toml")
    assert settings.own_files.clash(folder / "tables" / "more.toml") == "MAPPING_FILE names the same file"


def test_a_wrong_one_is_found_at_the_start_as_any_setting(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text("[nothing]\n")
    with pytest.raises(SettingsError, match=r"MAPPING_FILE \(from the environment\) is wrong: .*, line 1: "):
        load_settings(environ={"MAPPING_FILE": "more.toml"}, cwd=tmp_path)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda file: None, "No such file"),
        (lambda file: file.mkdir(), "Is a directory"),
        (os.mkfifo, "named pipe"),
        (lambda file: file.write_bytes(b"[places]\n'a' = '\xff'\n"), "line 2: it is not UTF-8"),
        (lambda file: (file.touch(), file.chmod(0o666)), "is writable by others"),
        (lambda file: file.write_bytes(b"#" * (1 << 21)), "too long"),
    ],
)
def test_files_that_are_none(tmp_path: Path, make: Callable[[Path], object], what: str) -> None:
    file = tmp_path / "mapping.toml"
    make(file)
    with pytest.raises(SettingsError, match=what):
        read_mapping_file(file)
