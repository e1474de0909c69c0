"""Writes what the page loads, model.onnx and classes.json, beside this file.

python docs/demo/prepare.py                                     # the public CIFAR-10 ResNet-20
python docs/demo/prepare.py --weights resnet20.th               # the same, from a file
"""

import argparse
import json
import pathlib

import keras_resnet
from keras_resnet.exporting import read_metadata

HERE = pathlib.Path(__file__).resolve().parent
RECORD = "cifar_resnet20.akamaster"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", default="akamaster", help="a set of weights, or a file")
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder to write into")
    options = parser.parse_args()
    model = keras_resnet.build(
        "cifar_resnet20", weights=options.weights, shortcut="A", zero_channels="center"
    )
    report = keras_resnet.export(
        model, options.out / "model.onnx", preprocessing=RECORD, image_size=32
    )
    names = read_metadata(report.path)["class_names"]
    (options.out / "classes.json").write_text(json.dumps(names))
    print(f"{report.path}: {report.bytes / 1e6:.1f} MB, {report.relative:.1e} from the model")


if __name__ == "__main__":
    main()
