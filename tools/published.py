"""Tables 2 to 6 as the paper prints them, with the command that measures each row again.

The rows are in published.csv: errors in percent, as printed, and what is measured. A model is
`network` or `network-shortcut`, which has to be trained, or `network.weights`, public weights that
the paper measured (those of VGG that `keras.applications` has are the authors' own); `7*googlenet`
is seven networks trained alike. The ResNets of Table 6 come from `keras_resnet.networks.paper`.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_resnet.networks import paper
from keras_resnet.networks.family import network_row

IMAGENET_VALIDATION = 50_000
CIFAR_TEST = 10_000
VALIDATION_TAR = "ILSVRC2012_img_val.tar"
VALIDATION = "ImageNet validation set"


@dataclass(frozen=True)
class Model:
    """A network of a row.

    Args:
        network: of `list_models()`.
        shortcut: of Sec. 3.3, where it is not the network's own.
        weights: public ones; without any, the network has to be trained.
    """

    network: str
    shortcut: str = ""
    weights: str = ""

    @property
    def graph(self) -> dict[str, Any]:
        """The options of the paper's network that `graph_options` shows of a model.

        >>> Model("resnet50").graph
        {'stride_on': '1x1', 'pool1': 'symmetric', 'shortcut': 'B'}
        """
        row = network_row(self.network)
        if row.family != "resnet":
            return {"pool_proj": 96, "conv1": "dense"} if row.family == "bn_inception" else {}
        found = {"stride_on": "1x1"} if row.block == "bottleneck" else {}
        if row.stem == "imagenet":
            found["pool1"] = "caffe" if self.weights == "msra" else "symmetric"
        if shortcut := self.shortcut or row.shortcut:
            found["shortcut"] = shortcut
        return found | ({"zero_channels": "end"} if shortcut == "A" else {})


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        method: as printed.
        top1: error as printed; empty where the paper prints none.
        top5: likewise.
        protocol: a name of `PROTOCOLS`.
        models: what is measured, several together; empty where this package has no such network.
        scales: of the protocol, where they are not its own.
        note: how the printed number differs from what is measured.
    """

    method: str
    top1: str = ""
    top5: str = ""
    protocol: str = ""
    models: tuple[Model, ...] = ()
    scales: tuple[int, ...] = ()
    note: str = ""

    @property
    def paper(self) -> tuple[float | None, ...]:
        """The two errors as numbers; of "7.54 (7.72±0.16)" the first."""
        return tuple(
            float(text.split()[0].rstrip("†")) if text else None for text in (self.top1, self.top5)
        )

    @property
    def measured(self) -> str:
        """The protocol in words, and how the printed number differs.

        >>> TABLES[2].rows[2].measured
        "dense at 256, 384, 512; the paper's is of these and 150 crops together"
        """
        scales = f" at {', '.join(map(str, self.scales))}" if self.scales else ""
        return "; ".join(filter(None, (f"{self.protocol}{scales}", self.note)))


@dataclass(frozen=True)
class Table:
    """A table of the paper: its number, what it shows, the images it was measured on, its rows."""

    number: int
    title: str
    measured_on: str
    rows: tuple[Row, ...]


def models_of(words: str) -> tuple[Model, ...]:
    """The models that a cell of published.csv names.

    >>> len(models_of("2*resnet34-B resnet50.msra"))
    3
    """
    found = []
    for word in words.split():
        times, _, name = word.rpartition("*")
        name, _, weights = name.partition(".")
        network, _, shortcut = name.partition("-")
        found += int(times or 1) * [Model(network, shortcut, weights)]
    return tuple(found)


def rows_of(table: int) -> tuple[Row, ...]:
    """The rows of a table that are in published.csv."""
    text = Path(__file__).with_suffix(".csv").read_text(encoding="utf-8")
    found = []
    for cells in csv.DictReader(text.splitlines()):
        number, models, scales = (cells.pop(name) for name in ("table", "models", "scales"))
        if int(number) == table:
            sizes = tuple(map(int, scales.split()))
            found.append(Row(**cells, models=models_of(models), scales=sizes))
    return tuple(found)


def cifar_rows() -> tuple[Row, ...]:
    """The ResNets of Table 6. The paper trained the one of 110 layers five times."""
    return tuple(
        Row(
            f"ResNet, {depth} layers, {parameters / 1e6:g}M",
            f"{error:.2f}{' (6.61±0.16)' if depth == 110 else ''}",
            protocol="1-crop",
            models=(Model(f"cifar_resnet{depth}"),),
        )
        for depth, (parameters, error) in paper.TABLE_6.items()
    )


TABLES = (
    Table(2, "Plain and residual networks, top-1 error (%)", VALIDATION, rows_of(2)),
    Table(3, "10-crop testing, top-1 / top-5 error (%)", VALIDATION, rows_of(3)),
    Table(
        4,
        "Single models, top-1 / top-5 error (%)",
        f"{VALIDATION}, except the number marked †, which is of the test set",
        rows_of(4),
    ),
    Table(
        5,
        "Ensembles, top-5 error (%)",
        "ImageNet test set, whose labels are not public: the commands measure on the validation "
        "set",
        rows_of(5),
    ),
    Table(
        6,
        "CIFAR-10 with augmentation, error (%)",
        "CIFAR-10 test set",
        (*rows_of(6), *cifar_rows()),
    ),
)


def command(row: Row) -> str:
    """The command that measures a row, empty where this package has no such network."""
    if not row.models:
        return ""
    first = row.models[0]
    if first.network.startswith("cifar_"):
        # "a mini-batch size of 128 on two GPUs", each with statistics of its own
        return f"python recipes/cifar10.py --model {first.network} --accumulate 2"
    words = ["python recipes/evaluate.py --models", *map(words_for, Counter(row.models).items())]
    if not first.weights:
        words.append("--image tv")
    words.append(f"--data {VALIDATION_TAR} --protocols {row.protocol}")
    if row.scales:
        words.append(f"--scales {' '.join(map(str, row.scales))}")
    if len(row.models) > 1:
        words.append("--ensemble")
    return " ".join(words)


def words_for(counted: tuple[Model, int]) -> str:
    """How a command names a network, or several trained alike, as a shell spells numbers."""
    model, times = counted
    if model.weights:
        return f"{model.network}.{model.weights}"
    trained = "-".join(filter(None, (model.network, model.shortcut)))
    return f"runs/{trained}{f'-{{1..{times}}}' if times > 1 else ''}/model.keras"
