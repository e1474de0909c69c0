"""Times input pipelines side by side: from JPEG files to batches of 224x224 images.

    python -m benchmarks.inputs.pipelines --data imagenet-sample.zip
    KERAS_RESNET_DATA=folder python -m benchmarks.inputs.pipelines  # folder/imagenet-sample.zip
    python -m benchmarks.inputs.pipelines --quick  # does every contender run here?
    python -m benchmarks.inputs.pipelines --pages  # docs/data.md and its chart

Every contender has a process (and helpers) of its own, bound to the same cores; they run in
turns, A B C A B C ..., and those whose turn it is not are stopped. A turn is some batches, after
one that does not count. A ratio is one of medians; beside it stand the lowest and the highest of
a single round.

Each image is a random crop of 8 to 100 % of the area, resized to 224x224 by bilinear
interpolation, flipped half of the time and normalized. keras_resnet hands over uint8 and leaves
the normalization to the device; a second line has it done on the processor, as all others do.

Contenders need `pip install "keras3-resnet[tensorflow-cpu,torch,recipes]" torchvision grain`; one
that is not installed is reported as missing.
"""

import argparse
import json
import os
import pathlib
import sys

from benchmarks.common import machine, records
from benchmarks.common.processes import ROOT
from benchmarks.inputs import report, turns
from benchmarks.inputs.contenders import CONTENDERS

RESULTS = records.RESULTS / "input"
PAGE, PICTURE = ROOT / "docs" / "data.md", ROOT / "docs" / "images" / "input.png"
BEGIN, END = "<!-- made by benchmarks.inputs.pipelines --pages -->", "<!-- end -->"
PACKAGES = ("pillow", "grain", "tensorflow-datasets")


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = os.environ.get("KERAS_RESNET_DATA")
    default = pathlib.Path(folder, "imagenet-sample.zip") if folder else None
    parser.add_argument("--data", type=pathlib.Path, default=default, help="a zip of JPEGs")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--cores", nargs="+", type=int, help="numbers of cores; one by default")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=30, help="that count in a turn")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 batches of 8")
    parser.add_argument("--pages", action="store_true", help="write docs of the newest results")
    parser.add_argument("--out", type=pathlib.Path, help="a JSON file, in benchmarks/results/input")
    chosen = parser.parse_args(arguments)
    if not chosen.pages and (chosen.data is None or not chosen.data.is_file()):
        parser.error(f"--data must be a zip of JPEGs. Received: {chosen.data}")
    if chosen.out and (chosen.out.suffix != ".json" or chosen.out.exists()):
        parser.error(f"--out takes a new file that ends in .json. Received: {chosen.out}")
    for name in ("batch", "rounds", "batches"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name} must be at least 1. Received: {getattr(chosen, name)}")
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    chosen.cores = chosen.cores or allowed[-1:]
    if not set(chosen.cores) <= set(allowed):
        parser.error(f"--cores must be of {allowed}. Received: {chosen.cores}")
    if chosen.quick:
        chosen.batch, chosen.rounds, chosen.batches = 8, 2, 2
    return chosen


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    if chosen.pages:
        return write_pages()
    settings = {"path": str(chosen.data.resolve()), "batch": chosen.batch, "cores": chosen.cores}
    run = {
        **records.header("benchmarks.inputs.pipelines", arguments),
        "settings": {
            "images": chosen.data.name,
            "batch": chosen.batch,
            "cores": chosen.cores,
            "rounds": chosen.rounds,
            "batches": chosen.batches,
        },
    }
    run["contenders"] = turns.run(chosen.contenders, settings, chosen.rounds, chosen.batches, say)
    out = chosen.out or RESULTS / f"{run['date'].replace(':', '')[:15]}.json"
    run["versions"] |= machine.versions(PACKAGES)
    records.save(out, run)
    for part in (report.table(run), report.targets(run), report.cores_needed(run)):
        print("\n" + "\n".join(part))
    print(f"\nrecorded in {out}")
    if report.measured(run):
        report.draw(run, out.with_suffix(".png"))
        print(f"drawn in {out.with_suffix('.png')}")
    return 0


def say(line: str) -> None:
    print(line, flush=True)


def page_of(run: dict, page: str) -> str:
    """The page with the part between its marks made of a run."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    made = [
        BEGIN,
        f"Measured on {report.caption(run)}, by `{records.command_of(run)}`, in "
        f"{run['settings']['rounds']} rounds.",
        "",
        *report.table(run),
        "",
        *report.targets(run),
        "",
        *report.cores_needed(run),
        "",
        "![images per second and core, and cores per GPU](images/input.png)",
        END,
    ]
    return before + "\n".join(made) + after


def write_pages() -> int:
    found = sorted(RESULTS.glob("*.json"))
    if not found:
        print(f"No results in {RESULTS.relative_to(ROOT)}", file=sys.stderr)
        return 1
    run = json.loads(max(found, key=lambda path: json.loads(path.read_text())["date"]).read_text())
    PAGE.write_text(page_of(run, PAGE.read_text()))
    report.draw(run, PICTURE)
    print(f"wrote {PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
