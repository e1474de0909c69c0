"""Reads what runs have recorded: medians, ratios with their spread, and tables.

A run is one JSON file: date, commit, machine, versions, settings, and a list of groups. A group
has one entry for each contender and dtype with its images per second round by round.
"""

import json
import pathlib
import statistics
from dataclasses import dataclass

from benchmarks.common.records import markdown
from benchmarks.training.catalog import CONTENDERS, OURS

FORMAT = 1
TASKS = {"train": "training", "infer": "inference"}


@dataclass(frozen=True)
class Ratio:
    """A ratio of two medians, and of the rounds it comes from the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @property
    def spread(self) -> str:
        if self.lowest == self.highest:
            return ""
        return f"{self.lowest:.3f} to {self.highest:.3f}"


def load(folder: pathlib.Path) -> list[dict]:
    """All runs of a folder, oldest first.

    Raises:
        ValueError: a file is not a run of the format this code reads.
    """
    runs = []
    for path in sorted(folder.glob("*.json")):
        run = json.loads(path.read_text())
        if run.get("format") != FORMAT:
            raise ValueError(
                f"{path.name} must be a run of format {FORMAT}. Received: {run.get('format')!r}"
            )
        runs.append(run)
    return sorted(runs, key=lambda run: run["date"])


def entry(group: dict, contender: str, dtype: str) -> dict | None:
    """The entry of a contender that was measured, or None."""
    for found in group["entries"]:
        if (found["contender"], found["dtype"]) == (contender, dtype) and found["rates"]:
            return found
    return None


def ratio(group: dict, over, under, value: str = "rate") -> Ratio | None:
    """How many times the figure of `under` the figure of `over` is; each is (contender, dtype)."""
    top, bottom = entry(group, *over), entry(group, *under)
    if top is None or bottom is None:
        return None
    if value == "memory":
        if not top["peak_bytes"] or not bottom["peak_bytes"]:
            return None
        quotient = top["peak_bytes"] / bottom["peak_bytes"]
        return Ratio(quotient, quotient, quotient)
    rounds = [a / b for a, b in zip(top["rates"], bottom["rates"], strict=False)]
    median = rate(top) / rate(bottom)
    return Ratio(median, min(rounds), max(rounds))


def rate(found: dict) -> float:
    """Images a second of an entry: the median of its rounds."""
    return statistics.median(found["rates"])


def label(found: dict) -> str:
    row = CONTENDERS.get(found["contender"])
    return row.label if row else found["contender"]


def gigabytes(count: int | None) -> str:
    return "" if count is None else f"{count / 1e9:.2f}"


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


HEADERS = (
    "contender",
    "dtype",
    "images/s",
    "lowest to highest",
    "ours / it",
    "lowest to highest",
    "memory, GB",
    "build, s",
    "first step, s",
)


def rows(group: dict) -> list[tuple[str, ...]]:
    """What a table says of each entry of a group, fastest first, the unmeasured last."""
    measured = sorted(group["entries"], key=lambda e: -statistics.median(e["rates"] or [0]))
    found = []
    for one in measured:
        if not one["rates"]:
            found.append((label(one), one["dtype"], why_not(one), *[""] * (len(HEADERS) - 3)))
            continue
        pair = (one["contender"], one["dtype"])
        ours = None if pair[0] == OURS else ratio(group, (OURS, one["dtype"]), pair)
        found.append(
            (
                label(one),
                one["dtype"],
                f"{rate(one):.2f}",
                f"{min(one['rates']):.2f} to {max(one['rates']):.2f}",
                f"{ours.median:.3f}" if ours else "",
                ours.spread if ours else "",
                gigabytes(one.get("peak_bytes")),
                seconds(one.get("build_seconds")),
                seconds(one.get("first_step_seconds")),
            )
        )
    return found


def why_not(one: dict) -> str:
    """Why an entry has no figure, on one line."""
    if "missing" in one:
        return f"missing: {', '.join(one['missing'])}; {one['install']}"
    if "error" in one:
        return f"failed: {one['error'].splitlines()[0][:200]}".replace("|", "/")
    return "not measured"


def dtype_of(group: dict) -> str:
    """What a group is about: bfloat16 where any entry is, since float32 is there to compare."""
    dtypes = {entry["dtype"] for entry in group["entries"]}
    return "bfloat16" if "bfloat16" in dtypes else "float32"


def group_title(group: dict) -> str:
    return (
        f"{group['net']}, {TASKS[group['mode']]} on {group['backend']}, "
        f"{dtype_of(group)}, batch {group['batch']}, {group['size']} px"
    )


def imports_table(runs: list[dict]) -> list[str]:
    """Seconds to import, from the newest run of each backend."""
    newest = {one["backend"]: one for run in runs for one in run["imports"] if "error" not in one}
    rows = []
    for backend, one in newest.items():
        keras, ours = (one["seconds"][module] for module in ("keras", "keras_resnet"))
        if not ours:
            continue
        base, full = statistics.median(keras), statistics.median(ours)
        rounds = [b / a for a, b in zip(keras, ours, strict=False)]
        spread = Ratio(full / base, min(rounds), max(rounds)).spread
        rows.append((backend, f"{base:.2f}", f"{full:.2f}", f"{full / base:.3f}", spread))
    headers = ("backend", "import keras, s", "import keras_resnet, s", "ratio", "lowest to highest")
    return markdown(headers, rows)
