"""The page of weights is written from the records."""

import pathlib

import pytest

pytestmark = pytest.mark.once

TOOL = pathlib.Path(__file__).parents[2] / "tools" / "weights_table.py"


def test_the_tables_of_weights_are_those_of_the_records(monkeypatch):
    import runpy

    monkeypatch.syspath_prepend(TOOL.parent)
    tool = runpy.run_path(str(TOOL))
    text = tool["PAGE"].read_text()
    assert tool["page"](text) == text, "run python tools/weights_table.py"
    assert "`resnet50.tv2`" in text
