"""Writes the tables of docs/weights.md from the records.

python tools/weights_table.py           write them
python tools/weights_table.py --check   exit with an error where they are out of date
"""

from pathlib import Path

import marked
from marked import table

import keras_resnet
from keras_resnet.networks.family import NETWORKS, TABLE, family
from keras_resnet.weights import DIALECTS, Record
from keras_resnet.weights.dialects import BY_FAMILY
from keras_resnet.weights.find import find, has_imagenet_weights
from keras_resnet.weights.layout import Layout

PAGE = Path(__file__).parent.parent / "docs" / "weights.md"


def percent(value: float | None) -> str:
    return "not stated" if value is None else f"{value:.5g}"


def defaults() -> str:
    """What `weights="imagenet"` stands for, and what else there is, by name."""
    rows = []
    for network in filter(has_imagenet_weights, NETWORKS):
        record = find("imagenet", NETWORKS[network])
        result = record.results[0]
        others = [one.name for one in keras_resnet.list_weights(network) if one != record]
        graph = {k: v for k, v in record.options.items() if k not in ("shortcut", "pool1")}
        rows.append(
            (
                TABLE[network].builder or f'`build("{network}")`',
                f"`{record.name}`",
                ", ".join(f"`{name}={value!r}`" for name, value in graph.items()) or "as it comes",
                f"{4 * family()[network].total / 1e6:,.0f} MB",
                f"{percent(result.top1)}, {percent(100 - result.top1)}",
                percent(result.top5),
                record.loss or "not stated",
                record.license,
                ", ".join(f"`{name}`" for name in others),
            )
        )
    return table(
        "builder | set | its graph | size | top-1 and its error, % | top-5, % | loss | license | "
        "others, `weights=`",
        rows,
    )


def records() -> str:
    rows = []
    for record in keras_resnet.list_weights():
        results = record.results or (None,)
        graph = ", ".join(f"{name}={value!r}" for name, value in record.options.items())
        rows.append(
            (
                f"`{record.id}`",
                record.source,
                f"`{graph}`",
                percent(results[0] and results[0].top1),
                percent(results[0] and results[0].top5),
                results[0].protocol if results[0] else "",
                record.loss or "not stated",
                record.license,
            )
        )
    return table(
        "record | source | graph | top-1 | top-5 | measured by its publisher on | loss | license",
        rows,
    )


def images() -> str:
    seen: dict[tuple, list[Record]] = {}
    for record in keras_resnet.list_weights():
        seen.setdefault((record.name, record.image), []).append(record)
    rows = []
    for (name, rule), found in seen.items():
        nets = (
            ""
            if len({r.image for r in keras_resnet.list_weights() if r.name == name}) == 1
            else (" (" + ", ".join(record.network for record in found) + ")")
        )
        size = f"{rule.resize}, crop {rule.size}" if rule.size else "as it is"
        rows.append(
            (
                f"`{name}`{nets}",
                size,
                rule.interpolation if rule.size else "",
                ", ".join(f"{value:g}" for value in rule.mean),
                ", ".join(f"{value:g}" for value in rule.std),
                rule.channels,
            )
        )
    return table(
        "set | shorter side | interpolation | mean (R, G, B) | divided by | source fed", rows
    )


def files() -> str:
    rows = (
        (
            f"`{record.id}`",
            record.url,
            f"`{record.hash}`" if record.hash else "the hub's sha256, taken at the first download",
        )
        for record in keras_resnet.list_weights()
    )
    return table("record | file | hash", rows)


def dialects() -> str:
    layout = Layout("imagenet", (3, 4, 6, 3), True)
    rows = []
    for dialect in DIALECTS.values():
        conv, bn = (dialect.layer(name, layout) for name in ("conv3_2_b", "conv3_2_b_bn"))
        rows.append(
            (
                f"`{dialect.name}`",
                f"`{dialect.variable(conv, 'kernel')}`",
                f"`{dialect.variable(bn, 'gamma')}`",
                f"`{dialect.variable(dialect.fc, 'kernel')}`",
                f"{dialect.epsilon:g}",
                "BGR" if dialect.bgr else "RGB",
            )
        )
    return table(
        "dialect | kernel of conv3_2_b | its gamma | kernel of fc | epsilon | conv1 reads", rows
    )


# The other networks, with the layout of one of each family, and a layer of it.
OTHERS = (
    ("pre-activation, V2", Layout("imagenet", (3, 4, 6, 3), True, "preact"), "conv3_2_b"),
    ("VGG", Layout("imagenet", (2, 2, 3, 3, 3), False, "vgg"), "conv3_2"),
    ("BN-Inception", Layout("imagenet", (), False, "bn_inception"), "inception_4a_double_3x3_2"),
)


def families() -> str:
    """The dialects of the networks that are not ResNets of the paper's order."""
    rows = [
        (
            f"`{dialect.name}`",
            networks,
            layer,
            f"`{dialect.variable(dialect.layer(layer, layout), 'kernel')}`",
            f"`{dialect.variable(dialect.fc, 'kernel')}`",
            "BGR" if dialect.bgr else "RGB",
        )
        for networks, layout, layer in OTHERS
        for dialect in BY_FAMILY[layout.family].values()
        if dialect.name != "keras_resnet"
    ]
    return table("dialect | networks | layer | its kernel | kernel of fc | conv1 reads", rows)


def page(text: str) -> str:
    return marked.written(text, defaults, records, images, files, dialects, families)


if __name__ == "__main__":
    marked.main(__doc__, {PAGE: page})
