"""What is said of a corrected sheet of rejects."""

import pytest

from syncctl.cli.render.rejects_corrected import render_corrections
from syncctl.ports.files import TitledLine
from syncctl.services.rejects.correcting import LineOutcome, LineResult, SheetResult
from tests.contract.samples import reject

TWO_ITEMS = LineResult(TitledLine("", 2, {}), LineOutcome.FIXED, (reject(1), reject(2)))
ONE_ITEM = LineResult(TitledLine("", 3, {}), LineOutcome.FIXED, (reject(3),))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((ONE_ITEM,), ""),
        ((TWO_ITEMS,), "That line stood for 2 rejects.\n"),
        ((TWO_ITEMS, ONE_ITEM), "Those 2 lines stood for 3 rejects.\n"),
    ],
)
def test_lines_and_the_rejects_that_they_stand_for_add_up(
    lines: tuple[LineResult, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    render_corrections(SheetResult("r", False, lines, 7), str, verbose=False, as_json=False)
    printed = capsys.readouterr()
    assert printed.out == f"{len(lines)} fixed, 0 still rejected, 0 unchanged.\n{said}"
    assert printed.err == "7 rejects are still on the list.\n"
