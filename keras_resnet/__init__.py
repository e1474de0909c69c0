"""Deep Residual Learning for Image Recognition, in Keras 3."""

import pathlib
import sys

# The installed command answers `--help` and `list` before Keras, seconds away, is loaded: its
# parts import what they need. Everyone else gets the public names, and with them the classes
# that Keras needs to load a saved model.
IS_COMMAND = pathlib.PurePath(next(iter(getattr(sys, "argv", ())), "")).stem == "keras-resnet"

if not IS_COMMAND:
    from keras_resnet import training
    from keras_resnet.classify import classify, decode_predictions
    from keras_resnet.costs import count, endpoints
    from keras_resnet.export import ExportError, Report, export, fold_batch_norm
    from keras_resnet.family import Costs, list_models, summary_table
    from keras_resnet.finetuning import freeze_batch_norm, new_head, unfreeze_from
    from keras_resnet.layers import FusedNetwork as Network
    from keras_resnet.models import build
    from keras_resnet.named import (
        VGG11,
        VGG13,
        VGG16,
        VGG19,
        BNInception,
        GoogLeNet,
        Plain18,
        Plain20,
        Plain32,
        Plain34,
        Plain44,
        Plain56,
        Plain110,
        PReLUNetA,
        PReLUNetB,
        PReLUNetC,
        ResNet18,
        ResNet20,
        ResNet32,
        ResNet34,
        ResNet44,
        ResNet50,
        ResNet50V2,
        ResNet56,
        ResNet101,
        ResNet101V2,
        ResNet110,
        ResNet152,
        ResNet152V2,
        ResNet1202,
    )
    from keras_resnet.paper import Architecture
    from keras_resnet.preprocessing import Preprocessing, preprocess_input
    from keras_resnet.weights import (
        DownloadError,
        Record,
        WeightsFileError,
        list_weights,
        load_weights,
        save_weights,
    )

__version__ = "0.1.0"

__all__ = [
    "VGG11",
    "VGG13",
    "VGG16",
    "VGG19",
    "Architecture",
    "BNInception",
    "Costs",
    "DownloadError",
    "ExportError",
    "GoogLeNet",
    "Network",
    "PReLUNetA",
    "PReLUNetB",
    "PReLUNetC",
    "Plain18",
    "Plain20",
    "Plain32",
    "Plain34",
    "Plain44",
    "Plain56",
    "Plain110",
    "Preprocessing",
    "Record",
    "Report",
    "ResNet18",
    "ResNet20",
    "ResNet32",
    "ResNet34",
    "ResNet44",
    "ResNet50",
    "ResNet50V2",
    "ResNet56",
    "ResNet101",
    "ResNet101V2",
    "ResNet110",
    "ResNet152",
    "ResNet152V2",
    "ResNet1202",
    "WeightsFileError",
    "build",
    "classify",
    "count",
    "decode_predictions",
    "endpoints",
    "export",
    "fold_batch_norm",
    "freeze_batch_norm",
    "list_models",
    "list_weights",
    "load_weights",
    "new_head",
    "preprocess_input",
    "save_weights",
    "summary_table",
    "training",
    "unfreeze_from",
]
