"""`keras-resnet convert`: weights from one library's file into another's."""

import argparse
import os

from keras_resnet.commands.common import network_name, positive

DIALECTS = "torchvision, timm, transformers, keras, caffe, akamaster, mmpretrain, keras_resnet"
EXAMPLES = """
keras-resnet convert resnet50 resnet50.pth resnet50.h5 --to keras --stride-on 3x3
keras-resnet convert cifar_resnet20 resnet20.th resnet20.safetensors
keras-resnet convert resnet18 tv resnet18.npz --to keras_resnet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=network_name, help="a name that `list` prints")
    parser.add_argument("source", help="a file, or a set that `weights` prints")
    parser.add_argument("target", help=".safetensors, .npz, .pth, .pt or .h5")
    parser.add_argument("--dialect", default="auto", help=f"of the source: {DIALECTS}")
    parser.add_argument("--to", default="torchvision", help="of the target (default: torchvision)")
    parser.add_argument("--classes", type=positive, help="of a head of another size")
    parser.add_argument("--stride-on", choices=("1x1", "3x3"), help='"3x3" is v1.5')
    parser.add_argument("--shortcut", choices=("A", "B", "C"), help="option of Sec. 3.3")
    parser.add_argument("--zero-channels", choices=("end", "center"), help="of option A")


def run(options: argparse.Namespace) -> tuple[dict, str]:
    from keras_resnet.models import build
    from keras_resnet.weights import load_weights, save_weights

    names = ("classes", "stride_on", "shortcut", "zero_channels")
    given = {name: getattr(options, name) for name in names}
    chosen = {name: value for name, value in given.items() if value is not None}
    if os.path.exists(options.source):
        model = build(options.model, weights=None, **chosen)
        load_weights(model, options.source, options.dialect)
    else:
        model = build(options.model, weights=options.source, **chosen)
    save_weights(model, options.target, options.to)
    numbers = model.count_params()
    record = {"target": options.target, "names": options.to, "numbers": numbers}
    return record, f"{options.target}: {numbers:,} numbers, as {options.to} names them"
