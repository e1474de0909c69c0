"""Pictures of training, of predictions and of what networks see. matplotlib is imported late."""

from keras_resnet.figures.activation import activation_figure, class_activation_map
from keras_resnet.figures.columns import architecture, block_figure
from keras_resnet.figures.curves import training_curves
from keras_resnet.figures.maps import feature_maps, first_layer_filters, stages_figure
from keras_resnet.figures.pictures import predictions
from keras_resnet.figures.responses import layer_responses, responses_figure
from keras_resnet.figures.style import COLORS, new_figure, save

__all__ = [
    "COLORS",
    "activation_figure",
    "architecture",
    "block_figure",
    "class_activation_map",
    "feature_maps",
    "first_layer_filters",
    "layer_responses",
    "new_figure",
    "predictions",
    "responses_figure",
    "save",
    "stages_figure",
    "training_curves",
]
