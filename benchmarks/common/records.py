"""Records of runs as JSON, and the tables and captions that are made of them."""

import datetime
import json
import pathlib

from benchmarks.common import machine
from keras_resnet.common.files import atomic_write

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results"
OURS_COLOR, OTHER_COLOR = "#c1440e", "#8d99ae"  # of charts
# What programs were called when results that are still shown were recorded.
FORMER_COMMANDS = {
    "benchmarks/throughput.py": "-m benchmarks.training.throughput",
    "benchmarks/dense.py": "-m benchmarks.training.dense",
    "benchmarks/depth.py": "-m benchmarks.training.depth",
    "benchmarks/exported.py": "-m benchmarks.exporting.runtimes",
    "benchmarks/operators.py": "-m benchmarks.exporting.operators",
    "benchmarks/precision.py": "-m benchmarks.exporting.precision",
    "benchmarks/input.py": "-m benchmarks.inputs.pipelines",
}


def header(module: str, arguments: list[str]) -> dict:
    """What every record says of its run: date, command, commit, machine, versions.

    Args:
        module: of the program, such as `"benchmarks.inputs.pipelines"`.
        arguments: of its command line.
    """
    now = datetime.datetime.now(datetime.UTC)
    return {
        "date": now.isoformat(timespec="seconds"),
        "command": machine.command(module, arguments),
        "commit": machine.commit(),
        "machine": machine.describe(),
        "versions": machine.versions(),
    }


def command_of(record: dict) -> str:
    """The command that would make a record again, by the name that the program has now."""
    command = record["command"]
    for former, name in FORMER_COMMANDS.items():
        command = command.replace(former, name)
    return command


def save(path: pathlib.Path, run: dict) -> None:
    """Writes a record completely or not at all."""
    with atomic_write(path) as half:
        half.write_text(json.dumps(run, indent=1) + "\n")


def markdown(headers, lines) -> list[str]:
    """A Markdown table whose columns line up, for the terminal and for the docs alike."""
    cells = [headers, *lines]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    for wide in (column for column, width in enumerate(widths) if width > 48):
        widths[wide] = max(len(row[wide]) for row in cells if len(row[wide]) <= 48)

    def line(row):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return [
        line(headers),
        f"|{'|'.join('-' * (width + 2) for width in widths)}|",
        *map(line, lines),
    ]


def hardware(run: dict) -> str:
    """The name of what computed: the processor, or the GPU."""
    if run["device"] == "cpu":
        return run["machine"]["cpu"]
    return next((gpu["name"] for gpu in run["machine"]["gpus"]), "a GPU")


def caption(run: dict) -> str:
    """Hardware, threads and date of a run, in one line."""
    threads = run["settings"]["threads"]
    return f"{hardware(run)}, {threads} thread{'s' if threads > 1 else ''}, {run['date'][:10]}"
