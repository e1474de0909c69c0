"""Writes the tables of docs/compared.md: what the networks cost, and how they were trained.

python tools/compared.py           write them
python tools/compared.py --check   exit with an error where they are out of date
"""

import argparse
import re
from pathlib import Path

from keras_resnet.baselines.settings import SETTINGS
from keras_resnet.evaluation.published import TABLES
from keras_resnet.family import summary_table
from keras_resnet.systems import NETWORKS, SYSTEMS

PAGE = Path(__file__).parent.parent / "docs" / "compared.md"


def table(head: str, rows) -> str:
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def systems() -> str:
    return summary_table(list(SYSTEMS))


def relatives() -> str:
    return summary_table([name for name, row in NETWORKS.items() if row.preactivated])


def errors() -> str:
    """The rows of Tables 3 to 5 about other systems than ResNets, as the paper prints them."""
    words = ("VGG", "GoogLeNet", "PReLU", "BN-")
    rows = [
        (f"Table {found.number}", row.method, row.top1, row.top5, row.protocol)
        for found in TABLES
        for row in found.rows
        if found.number in (3, 4, 5) and row.method.startswith(words)
    ]
    return table("table | method | top-1 error (%) | top-5 error (%) | protocol", rows)


def settings() -> str:
    rows = []
    for name, one in SETTINGS.items():
        falls = f"times {one.schedule.factor:g}, {one.schedule.kind}"
        if one.schedule.every:
            falls += f" every {one.schedule.every:,}"
        how = one.augmentation
        low, high = how.shorter_side or how.area or (0, 0)
        what = "shorter side" if how.shorter_side else "area"
        rows.append(
            (
                f"`{name}`",
                str(one.batch_size),
                f"{one.learning_rate:g}, {falls}",
                f"{one.momentum:g}",
                f"{one.weight_decay:g}",
                f"{one.iterations:,} ({one.epochs:.0f} epochs)",
                f"{what} {low:g} to {high:g}, lighting {how.lighting:g}"
                + (f", photometric {how.photometric:g}" if how.photometric else ""),
                ", ".join(f"{rate:g}" for rate in one.dropout) or "none",
            )
        )
    return table(
        "family | batch | learning rate | momentum | weight decay | iterations | crops, colour | "
        "dropout",
        rows,
    )


def sources() -> str:
    return "\n".join(f"* `{name}`: {' '.join(one.sources)}" for name, one in SETTINGS.items())


def page(text: str) -> str:
    """The text with everything between its markers written anew."""
    for write in (systems, relatives, errors, settings, sources):
        marked = re.compile(rf"(<!-- {write.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"{PAGE.name} has no table {write.__name__}")
        text = marked.sub(lambda match, write=write: f"{match[1]}{write()}\n{match[2]}", text)
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    old = PAGE.read_text()
    new = page(old)
    if parser.parse_args().check:
        raise SystemExit("run python tools/compared.py" if old != new else 0)
    PAGE.write_text(new)
