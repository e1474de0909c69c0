"""Writes the tables of docs/export.md from what the benchmarks have recorded, and the chart.

python tools/export_tables.py           write them
python tools/export_tables.py --check   exit with an error where they are out of date
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import export_page  # noqa: E402

PAGE = ROOT / "docs" / "export.md"
CHART = ROOT / "docs" / "images" / "exported.png"


def not_measured(command: str) -> list[str]:
    return ["Not measured. The command is", "", "```shell", command, "```"]


def speed() -> list[str]:
    record = export_page.read("exported")
    if record is None:
        return not_measured("python benchmarks/exported.py")
    what = f"{record['size']} pixels, batches of {record['batch']}, {record['rounds']} rounds"
    return [
        f"ResNet-50 (v1.5), {what} (`{record['command']}`; {measured(record)}):",
        "",
        f"![Images per second of exported networks](images/{CHART.name})",
        "",
        *export_page.promises(record),
        "",
        *export_page.speeds(record),
    ]


def precision() -> list[str]:
    record = export_page.read("precision")
    if record is None:
        return not_measured("python benchmarks/precision.py")
    return [
        f"{record['images']:,} test images (`{record['command']}`; {measured(record)}):",
        "",
        *export_page.precisions(record),
    ]


def measured(record: dict) -> str:
    commit = f", commit {record['commit']}" if record["commit"] else ""
    return f"{export_page.caption(record)}{commit}"


def page(text: str) -> str:
    """The text with everything between its markers written anew."""
    for write in (precision, speed):
        marked = re.compile(rf"(<!-- {write.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"{PAGE.name} has no place for {write.__name__}")
        lines = "\n".join(write())
        text = marked.sub(lambda match, lines=lines: f"{match[1]}{lines}\n{match[2]}", text)
    return text


def chart() -> bytes | None:
    """The chart that the benchmark drew."""
    drawn = export_page.FOLDER / CHART.name
    return drawn.read_bytes() if drawn.exists() else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true")
    old, drawn = PAGE.read_text(), chart()
    new = page(old)
    if parser.parse_args().check:
        shown = CHART.read_bytes() if CHART.exists() else None
        same = old == new and drawn == shown
        raise SystemExit(None if same else "run python tools/export_tables.py")
    PAGE.write_text(new)
    if drawn is not None:
        CHART.write_bytes(drawn)
