"""Writes the tables of docs/compared.md: what the networks cost, and how they were trained.

python tools/compared.py           write them
python tools/compared.py --check   exit with an error where they are out of date
"""

import sys
from pathlib import Path

import marked
from marked import table
from published import TABLES

from keras_resnet.networks.family import NETWORKS, network_row, summary_table

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "recipes"))

from imagenet_recipes import ITERATIONS, PAPERS, SOURCES  # noqa: E402

PAGE = ROOT / "docs" / "compared.md"


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
    for family, one in PAPERS.items():
        drops = ", ".join(f"{epoch:g}" for epoch in one.drops)
        falls = f"every {one.every:.3g} epochs" if one.every else f"after epochs {drops}"
        how = one.augmentation
        crops = {"scale": ("shorter side", how.shorter), "area": ("area", how.area)}
        what, (low, high) = crops[how.crop]
        rows.append(
            (
                f"`{family}`",
                str(one.batch_size),
                f"{one.learning_rate:g}, times {one.factor:g} {falls}",
                f"{one.momentum:g}",
                f"{one.weight_decay:g}",
                f"{ITERATIONS[family]:,} ({one.epochs:.0f} epochs)",
                f"{what} {low:g} to {high:g}, lighting {how.lighting:g}"
                + (f", photometric {how.randaugment.strength:g}" if how.randaugment else ""),
                ", ".join(f"{rate:g}" for rate in dropout(family)) or "none",
            )
        )
    return table(
        "family | batch | learning rate | momentum | weight decay | iterations | crops, color | "
        "dropout",
        rows,
    )


def dropout(family: str) -> tuple[float, ...]:
    """The rates of a family's dropout layers, of its first network."""
    row = next(network_row(name) for name in NETWORKS if network_row(name).family == family)
    rate = getattr(row, "dropout", 0.0)
    auxiliary = getattr(row, "auxiliary_dropout", None)
    if not rate:
        return ()
    return (rate, auxiliary, auxiliary) if auxiliary else (rate, rate)


def sources() -> str:
    return "\n".join(f"* `{name}`: {' '.join(one)}" for name, one in SOURCES.items())


def page(text: str) -> str:
    return marked.written(text, systems, relatives, errors, settings, sources)


if __name__ == "__main__":
    marked.main(__doc__, {PAGE: page})
