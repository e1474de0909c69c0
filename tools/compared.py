"""Writes the tables of docs/compared.md: what the networks cost, and how they were trained.

python tools/compared.py           write them
python tools/compared.py --check   exit with an error where they are out of date
"""

from pathlib import Path

import marked
from marked import table
from published import TABLES

from keras_resnet.networks.family import NETWORKS, summary_table
from keras_resnet.networks.settings import SETTINGS

PAGE = Path(__file__).parent.parent / "docs" / "compared.md"


def systems() -> str:
    return summary_table([name for name, row in NETWORKS.items() if row.family != "resnet"])


def relatives() -> str:
    return summary_table([name for name, row in NETWORKS.items() if row.preactivated])


def errors() -> str:
    """The rows of Tables 3 to 5 about other systems than ResNets, as the paper prints them."""
    words = ("VGG", "GoogLeNet", "PReLU", "BN-")
    rows = [
        (f"Table {found.number}", row.method, row.top1, row.top5, row.measured)
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
    return marked.written(text, systems, relatives, errors, settings, sources)


if __name__ == "__main__":
    marked.main(__doc__, {PAGE: page})
