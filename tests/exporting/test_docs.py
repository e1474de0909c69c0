"""What the benchmarks of exported files write, and the page that shows it."""

import importlib
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks/results/export", "docs/images")
pytestmark = pytest.mark.once


@pytest.fixture
def page():
    return importlib.import_module("benchmarks.exporting.page")


def record(instructions=("avx512_vnni",)):
    machine = {"cpu": "Some processor", "instructions": list(instructions)}
    return {
        "date": "2026-01-02T03:04:05+00:00",
        "batch": 8,
        "size": 224,
        "threads": 2,
        "rounds": 3,
        "images_per_second": {"ours onnx": [22.0, 21.0, 23.0], "torchvision onnx": [20.0] * 3},
        "bytes": {"ours onnx": 102_000_000, "torchvision onnx": None},
        "promises": [
            {
                "text": "float32",
                "needs_vnni": False,
                "one_of": [
                    ("ours onnx", "torchvision onnx", 1.05),
                    ("ours onnx", "torchvision onnx", 1.2),
                    ("ours folded, jax", "torchvision onnx", 1.0),
                ],
            },
            {
                "text": "int8",
                "needs_vnni": True,
                "one_of": [("ours onnx", "torchvision onnx", 1.0)],
            },
        ],
        "machine": machine,
    }


def test_the_page_of_exports_is_that_of_the_records():
    subprocess.run([sys.executable, "tools/export_tables.py", "--check"], cwd=ROOT, check=True)
    drawn, shown = (ROOT / folder / "exported.png" for folder in FOLDERS)
    assert drawn.exists() == shown.exists(), "run python tools/export_tables.py"
    assert not drawn.exists() or drawn.read_bytes() == shown.read_bytes()


def test_promises_are_judged_by_ratios_of_medians(page):
    cells = [[cell.strip() for cell in line.split("|")] for line in page.promises(record())[2:]]
    assert [row[-2] for row in cells] == ["reached", "not reached", "not measured", "reached"]
    assert cells[0][5:7] == ["1.100", "1.05 to 1.15"]
    assert "no VNNI" in page.promises(record(["avx2"]))[-1]


def test_speeds_are_a_table_and_a_chart(page, tmp_path):
    pytest.importorskip("matplotlib")
    assert "| ours onnx            | 102.0 | 22       | 21 to 23          |" in page.speeds(
        record()
    )
    page.draw(record(), tmp_path / "chart.png")
    assert [path.name for path in tmp_path.iterdir()] == ["chart.png"]
