"""`keras-resnet predict`: the classes of images."""

import argparse
import os
from collections.abc import Callable

from keras_resnet.commands.common import best_weights, positive
from keras_resnet.common.files import printable

WIDTH = 30


EXAMPLES = """
keras-resnet predict cat.jpg dog.jpg
keras-resnet predict *.jpg --model resnet18 --weights a1 --top 3
keras-resnet predict cat.jpg --json
keras-resnet predict cat.jpg --file resnet50.onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files that Pillow reads")
    parser.add_argument(
        "--model",
        "--network",
        default="resnet50",
        help="a name that `list` prints (default: resnet50)",
    )
    parser.add_argument("--weights", metavar="SET", help="default: the best set")
    parser.add_argument(
        "--file",
        metavar="FILE",
        help="an exported file that takes pixels (`export --pixels`), instead of a model; an image "
        "of another size is cropped to its center",
    )
    parser.add_argument("--top", type=positive, default=5, help="how many classes (default: 5)")


def run(options: argparse.Namespace) -> tuple[list[dict], str]:
    for path in options.images:
        if not os.path.exists(path):  # before weights are downloaded
            raise FileNotFoundError(f"There is no such image: {path}")
        if not os.path.isfile(path):
            raise ValueError(f"An image must be a file: pass {path}/* for those in a folder")
    predict = exported(options) if options.file else named(options)
    results = [{"image": name, "classes": predict(name)} for name in options.images]
    lines = []
    for result in results:
        lines.append(printable(result["image"]))
        longest = max(len(one["name"]) for one in result["classes"])
        for one in result["classes"]:
            line = f"  {one['name']:{longest}}  {one['score']:6.1%}  {bar(one['score'])}"
            lines.append(line.rstrip())
    return results, "\n".join(lines)


def bar(score: float) -> str:
    """A bar of up to `WIDTH` characters, to an eighth of one.

    >>> bar(0.5) == "█" * 15
    True
    """
    eighths = round(8 * WIDTH * min(max(score, 0.0), 1.0))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def named(options: argparse.Namespace) -> Callable[[str], list[dict]]:
    """From the path of an image to the classes that a model of the package predicts."""
    from keras_resnet.images.classification import check_top, classifier, record_of

    weights = options.weights or best_weights(options.model, files="--file EXPORTED")
    check_top(options.top, record_of(options.model, weights).classes)
    classify = classifier(options.model, weights)

    def predict(path):
        return [
            {"id": synset, "name": name, "score": score}
            for synset, name, score in classify(path, options.top)
        ]

    return predict


def exported(options: argparse.Namespace) -> Callable[[str], list[dict]]:
    """From the path of an image to the classes that an exported file predicts."""
    from keras_resnet.exporting import open_exported, read_metadata
    from keras_resnet.images.classification import check_top, decode_predictions, rgb

    metadata = read_metadata(options.file)
    batch, *wanted = metadata["input"]["shape"]
    if metadata["input"]["dtype"] != "uint8":
        raise ValueError(
            f"{options.file} takes normalized images: export it with --pixels to have it take files"
        )
    if batch not in (None, 1):
        raise ValueError(
            f"{options.file} takes {batch} images a call, and gets one: export it with --batch 1, "
            "or without --batch"
        )
    run_file = open_exported(options.file)
    classes = metadata["outputs"][0]["shape"][-1]
    check_top(options.top, classes)
    names = metadata["class_names"] or [f"class {number}" for number in range(classes)]

    def predict(path):
        pixels = center(rgb(path), *wanted[:2])
        scores = run_file(pixels[None])[0]
        return [
            {"id": "", "name": name, "score": score}
            for _, name, score in decode_predictions(scores, options.top, names)[0]
        ]

    return predict


def center(pixels, height: int | None, width: int | None):
    """The largest center crop of an image that has the file's proportions, in the file's size."""
    if height is None or width is None or pixels.shape[:2] == (height, width):
        return pixels
    import numpy as np
    from PIL import Image

    scale = min(pixels.shape[0] / height, pixels.shape[1] / width)
    rows, columns = height * scale, width * scale
    top, left = (pixels.shape[0] - rows) / 2, (pixels.shape[1] - columns) / 2
    box = (left, top, left + columns, top + rows)
    return np.asarray(Image.fromarray(pixels).resize((width, height), box=box))
