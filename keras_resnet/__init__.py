"""Deep Residual Learning for Image Recognition, in Keras 3."""

from keras_resnet.costs import Costs, count, endpoints, summary_table
from keras_resnet.layers import FusedNetwork as Network
from keras_resnet.models import (
    Plain18,
    Plain20,
    Plain32,
    Plain34,
    Plain44,
    Plain56,
    Plain110,
    ResNet18,
    ResNet20,
    ResNet32,
    ResNet34,
    ResNet44,
    ResNet50,
    ResNet56,
    ResNet101,
    ResNet110,
    ResNet152,
    ResNet1202,
    build,
    list_models,
)
from keras_resnet.paper import Architecture

__version__ = "0.1.0"

__all__ = [
    "Architecture",
    "Costs",
    "Network",
    "Plain18",
    "Plain20",
    "Plain32",
    "Plain34",
    "Plain44",
    "Plain56",
    "Plain110",
    "ResNet18",
    "ResNet20",
    "ResNet32",
    "ResNet34",
    "ResNet44",
    "ResNet50",
    "ResNet56",
    "ResNet101",
    "ResNet110",
    "ResNet152",
    "ResNet1202",
    "build",
    "count",
    "endpoints",
    "list_models",
    "summary_table",
]
