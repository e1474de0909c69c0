"""The paper's test protocols: 1-crop, 10-crop, dense, multi-scale, ensembles."""

from keras_resnet.evaluation.dense import fully_convolutional
from keras_resnet.evaluation.geometry import Geometry, views
from keras_resnet.evaluation.metrics import wilson
from keras_resnet.evaluation.opening import evaluate_named
from keras_resnet.evaluation.protocols import PROTOCOLS, Protocol, protocol_named
from keras_resnet.evaluation.results import Evaluation, read
from keras_resnet.evaluation.run import evaluate

__all__ = [
    "PROTOCOLS",
    "Evaluation",
    "Geometry",
    "Protocol",
    "evaluate",
    "evaluate_named",
    "fully_convolutional",
    "protocol_named",
    "read",
    "views",
    "wilson",
]
