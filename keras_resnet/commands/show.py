"""`keras-resnet show`: one model, stage by stage."""

import argparse
import re

from keras_resnet.commands.common import aligned, input_shape, network_name, sides

EXAMPLES = """
keras-resnet show resnet50
keras-resnet show resnet50 --size 320 --json
keras-resnet show cifar_resnet20 --shortcut B
keras-resnet show resnet34 --beside plain34 vgg19 --figure fig3.svg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=network_name, help="a name that `list` prints")
    parser.add_argument("--size", type=sides, help="side of the image, or HEIGHTxWIDTH")
    parser.add_argument("--shortcut", choices=("A", "B", "C"), help="option of Sec. 3.3")
    parser.add_argument("--stride-on", choices=("1x1", "3x3"), help='"3x3" is v1.5')
    parser.add_argument(
        "--figure", type=picture, metavar="FILE", help="draw it as Fig. 3 does: .svg, .png or .pdf"
    )
    parser.add_argument(
        "--beside", nargs="+", type=network_name, metavar="MODEL", default=[], help="drawn beside"
    )


def picture(path: str) -> str:
    if not path.endswith((".svg", ".png", ".pdf")):
        raise argparse.ArgumentTypeError(f"must end in .svg, .png or .pdf. Received: {path!r}")
    return path


def run(options: argparse.Namespace) -> tuple[dict, str]:
    import keras

    from keras_resnet.models import build

    chosen = {"shortcut": options.shortcut, "stride_on": options.stride_on}
    model = build(
        options.model,
        weights=None,
        input_shape=input_shape(options.size),
        **{name: value for name, value in chosen.items() if value},
    )
    if options.beside and not options.figure:
        raise ValueError("--beside is for a picture: name its file with --figure")
    rows = stages(model)
    total = {
        "stage": "all",
        "output": list(model.output.shape[1:]),
        "layers": sum(row["layers"] for row in rows),
        "parameters": sum(row["parameters"] for row in rows),
        "multiply_adds": sum(row["multiply_adds"] for row in rows),
    }
    inputs = list(model.input.shape[1:])
    record = {"network": model.name, "backend": keras.backend.backend(), "input": inputs}
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
    table = aligned([titles, *lines], titles[2:])
    text = f"{model.name}: images of {' x '.join(map(str, inputs))}\n\n{table}"
    if options.figure:
        import keras_resnet

        figures = keras_resnet.figures
        figures.save(figures.architecture(model, *options.beside), options.figure)
        record["figure"] = options.figure
        text += f"\n\nwrote {options.figure}"
    return {**record, "stages": rows, "total": total}, text


# What a layer's name begins with; and what is shown after the last of the stages.
HEAD = re.compile(r"inception_\d[a-e]|[a-z]+\d*")
LAST = ("post", "pool", "fc")


def stages(model) -> list[dict]:
    """For conv1, conv2_x, ..., fc: the shape of the output, the layers and the costs.

    Layers are counted along the longest path, as the depth of a network is.
    """
    import math

    from keras import tree

    from keras_resnet.costs import macs
    from keras_resnet.network import endpoints

    stage_of = {stage.removesuffix("_x"): stage for stage in endpoints(model)}
    stage_of |= {name: name for name in LAST}
    depth: dict[int, int] = {}
    ends: dict[str, int] = {}
    found: dict[str, dict] = {}
    for layer in model.layers:
        before = max((depth[id(source)] for source in tree.flatten(layer.input)), default=0)
        depth[id(layer.output)] = before + hasattr(layer, "kernel")
        head = HEAD.match(layer.name)
        if head is None or head[0] not in stage_of:
            continue
        stage = stage_of[head[0]]
        empty = {"stage": stage, "output": [], "layers": 0, "parameters": 0, "multiply_adds": 0}
        row = found.setdefault(stage, empty)
        row["output"] = list(layer.output.shape[1:])
        row["parameters"] += sum(math.prod(v.shape) for v in layer.trainable_weights)
        row["multiply_adds"] += macs(layer, layer.input, layer.output)
        ends[stage] = depth[id(layer.output)]
    starts = [0, *ends.values()]
    for (stage, end), start in zip(ends.items(), starts, strict=False):
        found[stage]["layers"] = end - start
    return list(found.values())
