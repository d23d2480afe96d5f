"""Store names made canonical."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.locations import load_locations


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("SG.Perinthalmanna", "Suitor Guy - Perinthalmanna"),
        ("PMNA", "Suitor Guy - Perinthalmanna"),
        ("Z- Edapally", "Zorucci - Edappally"),
        ("Z.Kottakkal", "Zorucci - Kottakkal"),
        ("zurocci - kottakal", "Zorucci - Kottakkal"),
        ("Suitor Guy - CALICUT", "Suitor Guy - Calicut"),
        ("SuitorGuy_mg road", "Suitor Guy - MG Road"),
        ("  sg   trissur ", "Suitor Guy - Thrissur"),
        ("EDAPPAL", "Suitor Guy - Edappal"),
        ("EDAPPALLY", "Suitor Guy - Edappally"),
        ("MANJERY", "Suitor Guy - Manjeri"),
        ("Vadakara", "Suitor Guy - Vatakara"),
        ("VATAKARA", "Suitor Guy - Vatakara"),
        ("Z.New Place", "Zorucci - New Place"),
        ("Zeta Town", "Suitor Guy - Zeta Town"),
    ],
)
def test_a_store_has_one_name_however_it_is_written(written: str, canonical: str) -> None:
    assert load_locations().canonical(written) == canonical


@pytest.mark.parametrize(
    "written", ["", "  ", "-", "SG", "Suitor Guy", "Zorucci -", "Default Store", "DEFAULT-STORE"]
)
def test_what_names_no_place_is_no_store(written: str) -> None:
    assert load_locations().canonical(written) is None


def test_a_location_id_is_named_by_the_table_and_only_then_by_the_store_list() -> None:
    locations = load_locations()
    assert locations.store_of("7", "SG.Somewhere Else") == "Suitor Guy - Perinthalmanna"
    assert locations.store_of("950", "Z.Kannur") == "Zorucci - Kannur"
    assert locations.store_of("950") is None


def test_every_name_of_the_table_is_canonical() -> None:
    locations = load_locations()
    for name in locations.by_code.values():
        assert locations.canonical(name) == name


@given(st.text(max_size=40))
def test_a_canonical_name_stays_as_it_is(written: str) -> None:
    locations = load_locations()
    canonical = locations.canonical(written)
    if canonical is not None and canonical.isascii():
        assert locations.canonical(canonical) == canonical
