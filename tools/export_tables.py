"""Writes the tables of docs/export.md from what the benchmarks have recorded, and the chart.

python tools/export_tables.py           write them
python tools/export_tables.py --check   exit with an error where they are out of date
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import export_page  # noqa: E402
import marked  # noqa: E402

PAGE = ROOT / "docs" / "export.md"
CHART = ROOT / "docs" / "images" / "exported.png"
DRAWN = export_page.FOLDER / CHART.name


def not_measured(command: str) -> str:
    return f"Not measured. The command is\n\n```shell\n{command}\n```"


def speed() -> str:
    record = export_page.read("exported")
    if record is None:
        return not_measured("python benchmarks/exported.py")
    what = f"{record['size']} pixels, batches of {record['batch']}, {record['rounds']} rounds"
    lines = [
        f"ResNet-50 (v1.5), {what} (`{record['command']}`; {measured(record)}):",
        "",
        f"![Images per second of exported networks](images/{CHART.name})",
        "",
        *export_page.promises(record),
        "",
        *export_page.speeds(record),
    ]
    return "\n".join(lines)


def operators() -> str:
    record = export_page.read("operators")
    if record is None:
        return not_measured("python benchmarks/operators.py")
    lines = [
        f"One batch of {record['batch']} (`{record['command']}`; {measured(record)}):",
        "",
        *export_page.operators(record),
    ]
    return "\n".join(lines)


def precision() -> str:
    record = export_page.read("precision")
    if record is None:
        return not_measured("python benchmarks/precision.py")
    lines = [
        f"{record['images']:,} test images (`{record['command']}`; {measured(record)}):",
        "",
        *export_page.precisions(record),
    ]
    return "\n".join(lines)


def measured(record: dict) -> str:
    commit = f", commit {record['commit']}" if record["commit"] else ""
    return f"{export_page.caption(record)}{commit}"


def page(text: str) -> str:
    return marked.written(text, precision, speed, operators)


if __name__ == "__main__":
    marked.main(__doc__, {PAGE: page})
    if DRAWN.exists():
        shutil.copyfile(DRAWN, CHART)
