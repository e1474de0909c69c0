"""`keras-resnet predict`: what is on some images."""

import argparse
import os

from keras_resnet.commands.common import add_json, best_weights, command, positive, print_json

WIDTH = 30


def add(commands) -> None:
    parser = command(
        commands,
        "predict",
        "what is on some images: the likeliest classes of each",
        run,
        """
        keras-resnet predict cat.jpg dog.jpg
        keras-resnet predict *.jpg --network resnet18 --weights a1 --top 3
        keras-resnet predict cat.jpg --json
        keras-resnet predict cat.jpg --file resnet50.onnx
        """,
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files that Pillow reads")
    parser.add_argument("--network", default="resnet50", help="default: resnet50")
    parser.add_argument("--weights", metavar="SET", help="default: the best set")
    parser.add_argument(
        "--file",
        metavar="FILE",
        help="an exported file that takes pixels (`export --pixels`), instead; of an image of "
        "another size it gets the middle",
    )
    parser.add_argument("--top", type=positive, default=5, help="how many classes (default: 5)")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    for path in options.images:
        if not os.path.exists(path):  # before a network is fetched for it
            raise FileNotFoundError(f"There is no such image: {path}")
    says = exported(options) if options.file else network(options)
    results = [{"image": name, "classes": says(name)} for name in options.images]
    if options.json:
        print_json(results)
        return
    for result in results:
        print(result["image"])
        longest = max(len(one["name"]) for one in result["classes"])
        for one in result["classes"]:
            print(f"  {one['name']:{longest}}  {one['score']:6.1%}  {bar(one['score'])}".rstrip())


def bar(score: float) -> str:
    """A bar of up to `WIDTH` characters, to an eighth of one.

    >>> bar(0.5) == "█" * 15
    True
    """
    eighths = round(8 * WIDTH * min(max(score, 0.0), 1.0))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def network(options: argparse.Namespace):
    """From a path to what a network of the package says."""
    from keras_resnet.images.classification import classifier

    weights = options.weights or best_weights(options.network)
    classify = classifier(options.network, weights)

    def says(path):
        return [
            {"id": synset, "name": name, "score": score}
            for synset, name, score in classify(path, options.top)
        ]

    return says


def exported(options: argparse.Namespace):
    """From a path to what an exported file says."""
    from keras_resnet.exporting import open_exported, read_metadata
    from keras_resnet.images.classification import decode_predictions, rgb

    metadata = read_metadata(options.file)
    if metadata["input"]["dtype"] != "uint8":
        raise ValueError(
            f"{options.file} takes normalised images: export it with --pixels to have it take files"
        )
    if metadata["input"]["shape"][0] not in (None, 1):
        raise ValueError(
            f"{options.file} takes {metadata['input']['shape'][0]} images a call, and gets one: "
            "export it with --batch 1, or without --batch"
        )
    run_file = open_exported(options.file)
    classes = metadata["outputs"][0]["shape"][-1]
    names = metadata["class_names"] or [f"class {number}" for number in range(classes)]
    wanted = metadata["input"]["shape"][1:]

    def says(path):
        pixels = middle(rgb(path), *wanted[:2])
        scores = run_file(pixels[None])[0]
        top = min(options.top, classes)
        return [
            {"id": "", "name": name, "score": score}
            for _, name, score in decode_predictions(scores, top, names)[0]
        ]

    return says


def middle(pixels, height: int | None, width: int | None):
    """The largest part in the middle of an image that has the file's shape, in its size."""
    if height is None or width is None or pixels.shape[:2] == (height, width):
        return pixels
    import numpy as np
    from PIL import Image

    scale = min(pixels.shape[0] / height, pixels.shape[1] / width)
    rows, columns = height * scale, width * scale
    top, left = (pixels.shape[0] - rows) / 2, (pixels.shape[1] - columns) / 2
    box = (left, top, left + columns, top + rows)
    return np.asarray(Image.fromarray(pixels).resize((width, height), box=box))
