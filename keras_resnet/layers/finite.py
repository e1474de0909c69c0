"""Where numbers that are not finite begin in a model."""

from typing import Any

import keras
import numpy as np

from keras_resnet.graph import Graph, deep_graph, is_graph


def where_not_finite(model: Any, images: np.ndarray | None = None) -> str:
    """Where numbers that are not finite begin: the images, a weight, or a layer's output.

    Args:
        model: any; the outputs of its layers are looked at where it is a graph.
        images: a batch for it, of which some outputs are not finite.

    Example:

    >>> where_not_finite(keras.Sequential([keras.Input((2,))]), np.array([[0.0, np.nan]]))
    'the images'
    """
    if images is not None and not np.isfinite(images).all():
        return "the images"
    for variable in model.variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable.value).astype("float32")).all():
            return f"the weight {variable.path}"
    if images is None or not is_graph(model):
        return "an output"
    nodes = [node for node in Graph(model).nodes if not node.is_input]
    with deep_graph():
        outputs = keras.Model(model.inputs, [node.output_tensors[0] for node in nodes])([images])
    for node, output in zip(nodes, keras.tree.flatten(outputs), strict=True):
        if not np.isfinite(keras.ops.convert_to_numpy(output).astype("float32")).all():
            return f"the output of {node.operation.name}"
    return "an output, and not when it is computed again"
