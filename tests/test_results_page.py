"""The tables of the paper beside what was measured: what is printed, and what fills a row."""

import copy
import dataclasses
import json
import pathlib
import sys

import pytest

from keras_resnet.evaluation.protocols import PROTOCOLS
from keras_resnet.evaluation.published import TABLE_3, TABLE_6, TABLES
from keras_resnet.paper import TABLE_6 as SIX

pytestmark = pytest.mark.once
ROOT = pathlib.Path(__file__).parents[1]
ROWS = [(table.number, row) for table in TABLES for row in table.rows]


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "recipes"))
    sys.modules.pop("tables", None)
    import tables

    return tables


def result(tables):
    """A result as recipes/evaluate.py writes it, as if of ResNet-50 on all validation images."""
    path = ROOT / "docs" / "results" / "cifar_resnet20.akamaster-1-crop.json"
    record = json.loads(path.read_text())
    record["top1"] |= {"error": 22.9, "images": 50_000}
    record["top5"] |= {"error": 6.5}
    configuration = record["configuration"]
    configuration["protocol"]["name"] = "10-crop"
    configuration["data"] |= {"images": 50_000, "classes": 1000}
    configuration["models"][0] |= {
        "model": "resnet50",
        "weights": "resnet50.msra",
        "graph": {"shortcut": "B"},
    }
    return record


def row_50():
    return next(row for row in TABLE_3.rows if row.method == "ResNet-50")


def test_the_page_is_what_the_results_give(tables):
    page = tables.page(tables.read_results([ROOT / "docs" / "results"]))
    assert page == (ROOT / "docs" / "results.md").read_text(), "run: python recipes/tables.py"


def test_all_rows_of_the_paper_are_there():
    assert [len(table.rows) for table in TABLES] == [4, 10, 10, 6, 12]
    assert {row.protocol for _, row in ROWS} <= {"", *PROTOCOLS}


def test_the_errors_of_table_6_are_those_that_the_builders_know():
    printed = {row.network: row.paper[0] for row in TABLE_6.rows if row.network}
    assert printed == {f"cifar_resnet{depth}": error for depth, (_, error) in SIX.items()}


def test_a_row_nobody_measured_says_so(tables):
    text, used = tables.line(row_50(), {})
    assert used is None
    assert "| ResNet-50 | 22.85 / 6.71 | not measured |  | 10-crop | `python recipes" in text


def test_a_result_fills_its_row_with_the_difference(tables):
    text, used = tables.line(row_50(), {"a.json": result(tables)})
    assert used == "a.json"
    assert "| 22.85 / 6.71 | 22.90 / 6.50 | +0.05 / -0.21 | 10-crop |" in text


@pytest.mark.parametrize(
    "path",
    [
        ("protocol", "name", "1-crop"),
        ("data", "images", 49_999),
        ("data", "classes", 10),
        ("models", 0, {"model": "resnet50", "weights": "resnet50.tv2", "graph": {"shortcut": "B"}}),
        ("models", 0, {"model": "resnet50", "weights": None, "graph": {"shortcut": "C"}}),
        ("models", 0, {"model": "resnet101", "weights": None, "graph": {"shortcut": "B"}}),
    ],
)
def test_a_result_of_something_else_fills_no_row(path, tables):
    record = copy.deepcopy(result(tables))
    part, name, value = path
    record["configuration"][part][name] = value
    assert tables.line(row_50(), {"a.json": record})[1] is None


def test_every_command_names_a_file_and_flags_that_exist(tables):
    from keras_resnet.evaluation.published import command

    sys.modules.pop("evaluate", None)
    import evaluate

    flags = {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(evaluate.Recipe)}
    for _, row in ROWS:
        words = command(row).split()
        if words and words[1] == "recipes/evaluate.py":
            assert {word for word in words if word.startswith("--")} <= flags
