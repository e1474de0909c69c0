"""Writes docs/performance.md and its charts from what benchmarks.training.throughput has recorded.

python tools/performance.py             # after new results in benchmarks/results
python tools/performance.py --check     # fails where page or charts are not those of the results
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.training import chart, pages, results  # noqa: E402

COMMAND = "python tools/performance.py"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail where stale")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs")
    chosen = parser.parse_args(arguments)
    runs = results.load(chosen.results)
    page, pictures = chosen.docs / "performance.md", chosen.docs / "images"
    text, charts = pages.page(runs), pages.charts(runs)
    if chosen.check:
        stale = stale_files(text, charts, page, pictures)
        for path in stale:
            print(f"{path} is not what the results say. Run: {COMMAND}", file=sys.stderr)
        return 1 if stale else 0
    pictures.mkdir(parents=True, exist_ok=True)
    page.write_text(text)
    for name, (groups, caption) in charts.items():
        if chart.digest_of(pictures / name) != chart.digest(groups, caption):
            chart.draw(groups, pictures / name, caption)
    for path in unknown(charts, pictures):
        path.unlink()
    print(f"wrote {page} and {len(charts)} charts of {len(runs)} runs")
    return 0


def stale_files(text: str, charts, page: pathlib.Path, pictures: pathlib.Path) -> list:
    """The files that differ from what would be written, or should not be there."""
    stale = [] if page.exists() and page.read_text() == text else [page]
    stale += [
        pictures / name
        for name, (groups, caption) in charts.items()
        if chart.digest_of(pictures / name) != chart.digest(groups, caption)
    ]
    return stale + unknown(charts, pictures)


def unknown(charts, pictures: pathlib.Path) -> list[pathlib.Path]:
    """Charts that no result speaks of any more."""
    return [path for path in sorted(pictures.glob("throughput-*.png")) if path.name not in charts]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
