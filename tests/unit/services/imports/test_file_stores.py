"""Which store a file is about, by its name."""

import pytest

from syncctl.domain.sources import StepName
from syncctl.errors import UsageError
from syncctl.locations import load_locations
from syncctl.services.imports.file_stores import FileStores, kind_of_name

STORES = FileStores(load_locations(), ["Suitor Guy - New Town", "Default Store"])


@pytest.mark.parametrize(
    ("name", "kind", "store"),
    [
        ("walkin_sg_calicut.xlsx", StepName.WALKIN, "Suitor Guy - Calicut"),
        ("walkin_z_edappally.csv", StepName.WALKIN, "Zorucci - Edappally"),
        ("walkin_z_edappal.csv", StepName.WALKIN, "Zorucci - Edappal"),
        ("lossofsale_sg_mg road.xlsx", StepName.LOSS_OF_SALE, "Suitor Guy - MG Road"),
        ("Walk-In SG PMNA.xls", StepName.WALKIN, "Suitor Guy - Perinthalmanna"),
        ("WALKINS_Z.KOTTAKAL (2).csv", StepName.WALKIN, "Zorucci - Kottakkal"),
        ("walkin_sg_trissur_november_2025.xlsx", StepName.WALKIN, "Suitor Guy - Thrissur"),
        ("walkin_sg_manjery copy.xlsx", StepName.WALKIN, "Suitor Guy - Manjeri"),
        ("walkin_sg_new town.xlsx", StepName.WALKIN, "Suitor Guy - New Town"),
        ("loss of sale 2025.xlsx", StepName.LOSS_OF_SALE, None),
        ("walkin_sg_calicutt.xlsx", StepName.WALKIN, None),
        ("walkin_sg_calicut beach.xlsx", StepName.WALKIN, None),
        ("wal\u00adkin_sg_cali\u200bcut.xlsx", StepName.WALKIN, "Suitor Guy - Calicut"),
        ("walkin_sg.xlsx", StepName.WALKIN, None),
        ("walkin.xlsx", StepName.WALKIN, None),
        ("walkin_default store.xlsx", StepName.WALKIN, None),
        ("november.xlsx", None, None),
        ("walking_sg_calicut.xlsx", None, None),
    ],
)
def test_a_files_name_tells_kind_and_store(name: str, kind: StepName | None, store: str | None) -> None:
    assert kind_of_name(name) is kind
    assert STORES.of_file(name) == store


@pytest.mark.parametrize(
    ("sheet", "store"),
    [
        ("SG.TRIVANDRUM", "Suitor Guy - Trivandrum"),
        ("MG Road", "Suitor Guy - MG Road"),
        ("EDAPPALLY", "Suitor Guy - Edappally"),
        ("KOTTAYAM", "Suitor Guy - Kottayam"),
        ("Sheet1", None),
        ("NOVEMBER", None),
        ("", None),
    ],
)
def test_a_sheets_name_may_tell_the_store(sheet: str, store: str | None) -> None:
    assert STORES.named(sheet) == store


def test_a_store_that_the_user_names_must_be_known() -> None:
    assert STORES.requested_store("z kottakal") == "Zorucci - Kottakkal"
    with pytest.raises(UsageError, match=r"isn't a known store .* mean Suitor Guy - Calicut\?"):
        STORES.requested_store("Calicutt")
    with pytest.raises(UsageError, match=r"Did you mean Suitor Guy - MG Road\?"):
        STORES.requested_store("MG")
