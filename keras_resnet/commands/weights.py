"""`keras-resnet weights`: the public sets of weights that are known."""

import argparse

from keras_resnet.commands.common import add_json, aligned, command, print_json


def add(commands) -> None:
    parser = command(
        commands,
        "weights",
        "the public sets of weights: whose, what for, how accurate",
        run,
        """
        keras-resnet weights resnet50
        keras-resnet weights --json
        """,
    )
    parser.add_argument("network", nargs="?", help="a name that `list` prints (default: all)")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    from keras_resnet.weights import list_weights

    records = list_weights(options.network)
    if not records:
        raise ValueError(f"There are no public weights. Received: {options.network!r}")
    if options.json:
        print_json([as_dict(record) for record in records])
        return
    titles = ("set", "source", "licence", "image", "top-1 %", "graph")
    rows = [
        (
            record.id,
            record.source,
            record.licence,
            str(record.image.size or "as it is"),
            top1(record),
            " ".join(f"{name}={value}" for name, value in record.options.items()),
        )
        for record in records
    ]
    print(aligned([titles, *rows], ("top-1 %", "image")))


def top1(record) -> str:
    found = [result.top1 for result in record.results if result.top1 is not None]
    return f"{found[0]:.2f}" if found else ""


def as_dict(record) -> dict:
    import dataclasses

    return {
        "id": record.id,
        "source": record.source,
        "url": record.url,
        "hash": record.hash,
        "licence": record.licence,
        "options": dict(record.options),
        "image": dataclasses.asdict(record.image),
        "results": [dataclasses.asdict(result) for result in record.results],
    }
