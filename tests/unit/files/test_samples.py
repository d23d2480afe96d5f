"""The three layouts of contract/files.md as the stores send them."""

from datetime import date

from syncctl.files.reading import open_file
from tests.unit.files.support import SAMPLES, read


def test_layout_a() -> None:
    rows = read(SAMPLES / "walkin_sg_calicut.xlsx")
    assert [row.number for row in rows] == list(range(3, 65))
    assert rows[5].cells == {
        "date": "16-05-2025",
        "name": "Jithin S",
        "phone": 81396946,
        "function date": "30-06-2025",
        "staff": "RAYAN K B",
        "status": "Loss",
        "category": "PRICING",
        "sub category": "RENT TO HIGH",
        "remarks": "will confirm\nwithin 2 days",
    }
    assert rows[7].cells["name"] is None
    assert rows[7].raw["#"] == "8"
    assert len(read(SAMPLES / "lossofsale_z_edappally.xlsx")) == 42


def test_layout_a_as_csv() -> None:
    rows = read(SAMPLES / "walkin_sg_mg road.csv")
    assert [row.number for row in rows] == list(range(3, 33))
    assert tuple(rows[10].cells.values()) == (
        *("14-03-2025", "José T", "9332689090", "22-04-2025", "Staff C", "Rentout", "PRODUCT"),
        *("SIZE TOO SMALL", "just enquiry"),
    )
    assert rows[0].cells["remarks"] == "=call later"


def test_layout_b() -> None:
    with open_file(SAMPLES / "loss of sale 2025.xlsx") as sheets:
        assert sheets.problems == []
        rows = {sheet.name: list(sheet.rows()) for sheet in sheets}
        columns = {sheet.name: sheet.columns for sheet in sheets}
    common = ("date", "name", "phone", "function date", "staff", "reason")
    assert columns == {
        "SG.TRIVANDRUM": (*common, "comments", "other comments"),
        "MG Road": (*common, "follow up", "reason from store", "store"),
        "EDAPPALLY": (*common, "comments", "other walk in"),
    }
    assert {name: len(found) for name, found in rows.items()} == dict.fromkeys(
        ("SG.TRIVANDRUM", "MG Road", "EDAPPALLY"), 25
    )
    first, second, third = rows["EDAPPALLY"][:3]
    assert first.number == 3
    assert tuple(first.cells.values()) == (
        *("11/04/2025", "Nikhil", 9866665582, date(2025, 5, 11), "MAHESH C", "COLOUR ISSUE"),
        *("size not available", "will confirm"),
    )
    assert second.cells["date"] == date(2025, 9, 21)
    assert second.cells["phone"] == "7825089219"
    assert third.cells["phone"] == "8573634667/7911821808"
    assert all(isinstance(row.cells["function date"], date) for found in rows.values() for row in found)
