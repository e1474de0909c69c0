"""Writes the tables of docs/export.md from what the benchmarks have recorded, and the chart.

python tools/export_tables.py           write them
python tools/export_tables.py --check   exit with an error where they are out of date
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import marked  # noqa: E402

from benchmarks.common import records  # noqa: E402
from benchmarks.exporting import page as exporting  # noqa: E402

PAGE = ROOT / "docs" / "export.md"
CHART = ROOT / "docs" / "images" / "exported.png"
DRAWN = exporting.FOLDER / CHART.name


def not_measured(command: str) -> str:
    return f"Not measured. The command is\n\n```shell\n{command}\n```"


def speed() -> str:
    record = exporting.read("exported")
    if record is None:
        return not_measured("python -m benchmarks.exporting.runtimes")
    what = f"{record['size']} pixels, batches of {record['batch']}, {record['rounds']} rounds"
    lines = [
        f"ResNet-50 (v1.5), {what} (`{records.command_of(record)}`; {measured(record)}):",
        "",
        f"![Images per second of exported networks](images/{CHART.name})",
        "",
        *exporting.promises(record),
        "",
        *exporting.speeds(record),
    ]
    return "\n".join(lines)


def operators() -> str:
    record = exporting.read("operators")
    if record is None:
        return not_measured("python -m benchmarks.exporting.operators")
    lines = [
        f"One batch of {record['batch']} (`{records.command_of(record)}`; {measured(record)}):",
        "",
        *exporting.operators(record),
    ]
    return "\n".join(lines)


def precision() -> str:
    record = exporting.read("precision")
    if record is None:
        return not_measured("python -m benchmarks.exporting.precision")
    lines = [
        f"{record['images']:,} test images (`{records.command_of(record)}`; {measured(record)}):",
        "",
        *exporting.precisions(record),
    ]
    return "\n".join(lines)


def measured(record: dict) -> str:
    commit = f", commit {record['commit']}" if record["commit"] else ""
    return f"{exporting.caption(record)}{commit}"


def page(text: str) -> str:
    return marked.written(text, precision, speed, operators)


if __name__ == "__main__":
    marked.main(__doc__, {PAGE: page})
    if DRAWN.exists():
        shutil.copyfile(DRAWN, CHART)
