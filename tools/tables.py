"""Writes the tables of the documentation from the records they show.

python tools/tables.py           # rewrites what has changed
python tools/tables.py --check   # fails where a table is stale, and writes nothing
"""

import argparse
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import keras_resnet  # noqa: E402

BACKENDS = ("tensorflow", "jax", "torch")


def depth_table() -> str:
    """Seconds to build a CIFAR ResNet and for its first two training steps, by backend."""
    lines = [
        "| backend | layers | build (s) | first step (s) | second step (s) | measured |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for backend in BACKENDS:
        path = ROOT / "benchmarks" / "results" / "depth" / f"{backend}.json"
        record = json.loads(path.read_text()) if path.exists() else {"rows": []}
        for row in record["rows"]:
            seconds = (row[f"{what}_seconds"] for what in ("build", "first_step", "second_step"))
            figures = " | ".join(f"{value:.2f}" for value in seconds)
            where = f"{record['date']}, {record['machine']}"
            lines.append(f"| {backend} | {row['layers']} | {figures} | {where} |")
        if not record["rows"]:
            lines.append(f"| {backend} | | | | | not measured |")
    return "\n".join(lines)


def dense_table() -> str:
    """What dense evaluation of one image costs beside crops, by backend."""
    lines = [
        "| backend | network | shorter side | dense (s) | 10-crop (s) | windows (s) | measured |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    found = sorted((ROOT / "benchmarks" / "results" / "dense").glob("*.json"))
    for record in map(json.loads, (path.read_text() for path in found)):
        where = f"{record['date']}, {record['machine']}"
        for side in dict.fromkeys(row["shorter_side"] for row in record["rows"]):
            rows = {row["what"]: row for row in record["rows"] if row["shorter_side"] == side}
            figures = [f"{rows['dense']['median_seconds']:.3f}"]
            for what in ("10-crop", "windows"):
                row = rows[what]
                times = f"{row['times_dense']:.1f} times, {row['views']} views"
                figures.append(f"{row['median_seconds']:.3f} ({times})")
            cells = (record["backend"], record["network"], str(side), *figures, where)
            lines.append(f"| {' | '.join(cells)} |")
    if not found:
        lines.append("| | | | | | | not measured |")
    return "\n".join(lines)


# Between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a file stands what a function returns.
TABLES = {
    ("README.md", "family"): keras_resnet.summary_table,
    ("docs/reading.md", "depth"): depth_table,
    ("docs/evaluation.md", "dense"): dense_table,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail where a table is stale")
    check = parser.parse_args().check
    stale = [f"{file}: {name}" for file, name in TABLES if not refresh(file, name, check)]
    if check and stale:
        print(f"stale, run `python tools/tables.py`: {', '.join(stale)}", file=sys.stderr)
    return int(check and bool(stale))


def refresh(file: str, name: str, check: bool) -> bool:
    """Whether the table was as it should be; writes it where it was not."""
    path = ROOT / file
    before = path.read_text()
    between = re.compile(f"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    table = TABLES[file, name]()
    after = between.sub(lambda found: f"{found[1]}{table}\n{found[2]}", before)
    if after != before and not check:
        half = path.with_suffix(".part")
        half.write_text(after)
        os.replace(half, path)
        print(f"wrote {file}: {name}")
    return after == before


if __name__ == "__main__":
    sys.exit(main())
