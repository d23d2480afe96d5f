"""Which storage a DATABASE_URL opens, for writing and for reading only."""

from contextlib import closing
from pathlib import Path

import pytest

from syncctl.errors import SettingsError, StorageUnavailableError
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, text_id


def test_for_writing_a_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "data" / "syncctl.db"
    with closing(open_storage(f"sqlite:///{path}")) as storage:
        assert not path.exists()
        storage.prepare()
        storage.store_leads([lead(1)], [])
    with closing(open_storage(f"sqlite:///{path}", for_reading_only=True)) as storage:
        storage.prepare()
        assert storage.present_leads([text_id(1)]) == {text_id(1)}


@pytest.mark.parametrize("content", [None, b""])
def test_for_reading_a_missing_or_empty_file_is_an_empty_database(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "syncctl.db"
    if content is not None:
        path.write_bytes(content)
    with closing(open_storage(f"sqlite:///{path}", for_reading_only=True)) as storage:
        storage.prepare()
        assert storage.stores() == []
    assert path.exists() == (content is not None)
    assert content is None or path.read_bytes() == content


def test_for_reading_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear customer, " * 100)
    with pytest.raises(StorageUnavailableError, match="isn't a SQLite database"):
        open_storage(f"sqlite:///{path}", for_reading_only=True)


@pytest.mark.parametrize(
    "url", ["", "sqlite:///", "sqlite://data.db", "mysql://user:hunter2@host/name", "/var/lib/syncctl.db"]
)
def test_another_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL must begin with") as caught:
        open_storage(url)
    assert "hunter2" not in str(caught.value)


def test_a_mongodb_address_without_a_name_says_which_one_the_old_system_used() -> None:
    with pytest.raises(SettingsError, match=r"The old system used the database test then: .*/test"):
        open_storage("mongodb://host/?retryWrites=true")
