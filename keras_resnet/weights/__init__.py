"""Public weights in our graphs: what they are, where they are, and how they are read."""

from keras_resnet.weights.dialects import DIALECTS
from keras_resnet.weights.download import fetch
from keras_resnet.weights.find import list_weights, record_named
from keras_resnet.weights.load import load_weights
from keras_resnet.weights.matching import graph_options
from keras_resnet.weights.pretrained import push_to_hub, save_pretrained
from keras_resnet.weights.records import ImageRule, Record, Result
from keras_resnet.weights.save import save_weights
from keras_resnet.weights.stored import WeightsFileError
from keras_resnet.weights.transfer import DownloadError

__all__ = [
    "DIALECTS",
    "DownloadError",
    "ImageRule",
    "Record",
    "Result",
    "WeightsFileError",
    "fetch",
    "graph_options",
    "list_weights",
    "load_weights",
    "push_to_hub",
    "record_named",
    "save_pretrained",
    "save_weights",
]
