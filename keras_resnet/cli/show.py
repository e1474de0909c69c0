"""`keras-resnet show`: one network, stage by stage."""

import argparse

from keras_resnet.cli.common import add_json, aligned, command, network_name, print_json, sides


def add(commands) -> None:
    parser = command(
        commands,
        "show",
        "a network stage by stage: shapes, parameters, multiply-adds",
        run,
        """
        keras-resnet show resnet50
        keras-resnet show resnet50 --size 320 --json
        keras-resnet show cifar_resnet20 --shortcut B
        """,
    )
    parser.add_argument("network", type=network_name, help="a name that `list` prints")
    parser.add_argument("--size", type=sides, help="side of the image, or HEIGHTxWIDTH")
    parser.add_argument("--shortcut", choices=("A", "B", "C"), help="option of Sec. 3.3")
    parser.add_argument("--stride-on", choices=("1x1", "3x3"), help='"3x3" is v1.5')
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    import keras

    from keras_resnet.models import build

    chosen = {"shortcut": options.shortcut, "stride_on": options.stride_on}
    # Values do not matter here; TensorFlow and JAX need a moment to draw them.
    model = build(
        options.network,
        weights=None,
        input_shape=options.size and input_shape(options.size),
        **{name: value for name, value in chosen.items() if value},
    )
    rows = stages(model)
    total = {
        "stage": "all",
        "output": list(model.output.shape[1:]),
        "layers": sum(row["layers"] for row in rows),
        "parameters": sum(row["parameters"] for row in rows),
        "multiply_adds": sum(row["multiply_adds"] for row in rows),
    }
    if options.json:
        inputs = list(model.input.shape[1:])
        shown = {"network": model.name, "backend": keras.backend.backend(), "input": inputs}
        print_json({**shown, "stages": rows, "total": total})
        return
    print(f"{model.name}: images of {' x '.join(map(str, model.input.shape[1:]))}\n")
    titles = ("stage", "output", "layers", "parameters", "multiply-adds")
    lines = [
        (
            row["stage"],
            " x ".join(map(str, row["output"])),
            str(row["layers"]),
            f"{row['parameters']:,}",
            f"{row['multiply_adds']:,}",
        )
        for row in (*rows, total)
    ]
    print(aligned([titles, *lines], titles[2:]))


def input_shape(size: tuple[int, int]) -> tuple[int, ...]:
    import keras

    last = keras.config.image_data_format() == "channels_last"
    return (*size, 3) if last else (3, *size)


def stages(model) -> list[dict]:
    """What lies in conv1, conv2_x, ..., fc: the shape it ends in, and what it costs."""
    import math

    from keras_resnet.costs import leaves, macs

    found: dict[str, dict] = {}
    for layer in leaves(model):
        head = layer.name.split("_")[0]
        if head in ("image", "pool1", "preprocessing"):
            continue
        stage = {"conv1": "conv1", "pool": "pool"}.get(head, f"{head}_x")
        stage = "fc" if head == "fc" else stage
        row = found.setdefault(
            stage, {"stage": stage, "output": [], "layers": 0, "parameters": 0, "multiply_adds": 0}
        )
        row["output"] = list(layer.output.shape[1:])
        weighted = not layer.name.endswith("_bn") and bool(layer.trainable_weights)
        row["layers"] += weighted and "shortcut" not in layer.name
        row["parameters"] += sum(math.prod(v.shape) for v in layer.trainable_weights)
        row["multiply_adds"] += macs(layer)
    return list(found.values())
