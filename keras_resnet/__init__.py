"""Deep Residual Learning for Image Recognition, in Keras 3."""

import importlib

from keras_resnet.common import versions  # noqa: F401  # first, as it says what is missing

# isort: split
from keras_resnet import named, training
from keras_resnet.costs import count
from keras_resnet.exporting import ExportError, Report, export, fold_batch_norm
from keras_resnet.finetuning import freeze_batch_norm, new_head, unfreeze_from
from keras_resnet.images.classification import classify, decode_predictions
from keras_resnet.images.preprocessing import Preprocessing, preprocess_input
from keras_resnet.models import build
from keras_resnet.named import *  # noqa: F403
from keras_resnet.network import Network, endpoints
from keras_resnet.networks.family import Costs, list_models, summary_table
from keras_resnet.networks.paper import Architecture
from keras_resnet.weights import (
    DownloadError,
    Record,
    WeightsFileError,
    list_weights,
    load_weights,
    push_to_hub,
    save_pretrained,
    save_weights,
)

__version__ = "0.1.0"

__all__ = [
    "Architecture",
    "Costs",
    "DownloadError",
    "ExportError",
    "Network",
    "Preprocessing",
    "Record",
    "Report",
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
    "push_to_hub",
    "save_pretrained",
    "save_weights",
    "summary_table",
    "training",
    "unfreeze_from",
]
__all__ += named.__all__  # ResNet50, Plain34, ...: a builder for each row that has one


def __getattr__(name: str):
    """The packages that `import keras_resnet` leaves out, imported where they are first used."""
    if name in ("commands", "data", "evaluation", "figures", "report"):
        return importlib.import_module(f"keras_resnet.{name}")
    raise AttributeError(f"module 'keras_resnet' has no attribute {name!r}")
