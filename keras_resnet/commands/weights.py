"""`keras-resnet weights`: the public sets of weights."""

import argparse
import dataclasses

from keras_resnet.commands.common import aligned

EXAMPLES = """
keras-resnet weights resnet50
keras-resnet weights --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", help="a name that `list` prints (default: all)")


def run(options: argparse.Namespace) -> tuple[list[dict], str]:
    from keras_resnet.weights import list_weights

    records = list_weights(options.model)
    if not records:
        raise ValueError(f"There are no public weights. Received: {options.model!r}")
    titles = ("set", "source", "license", "image", "top-1 %", "error %", "graph")
    rows = [
        (
            record.id,
            record.source,
            record.license,
            str(record.image.size or "as it is"),
            *accuracy_and_error(record.results),
            " ".join(f"{name}={value}" for name, value in record.options.items()),
        )
        for record in records
    ]
    return list(map(as_dict, records)), aligned([titles, *rows], ("top-1 %", "error %", "image"))


def accuracy_and_error(results) -> tuple[str, str]:
    """The first published top-1 accuracy and its error, in percent, where it is stated."""
    top1 = next((one.top1 for one in results if one.top1 is not None), None)
    return ("not stated", "") if top1 is None else (f"{top1:.2f}", f"{100 - top1:.2f}")


def as_dict(record) -> dict:
    """All fields of a record, as `json` takes them."""
    fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {
        "id": record.id,
        **fields,
        "options": dict(record.options),
        "image": dataclasses.asdict(record.image),
        "results": [dataclasses.asdict(result) for result in record.results],
    }
