"""Fig. 7: how strongly the layers of plain and residual networks respond."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.figures.style import COLORS, new_figure
from keras_resnet.graph import calls_to, deep_graph, exposed, input_of
from keras_resnet.network import network_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked()
def layer_responses(
    model: keras.Model, images: np.ndarray, batch_size: int = 128
) -> dict[str, float]:
    """The standard deviation of each layer's responses, as in Fig. 7.

    "The responses are the outputs of each 3x3 layer, after BN and before other nonlinearity
    (ReLU/addition)." One number for a layer: over images, positions and channels, in inference
    mode. Projection shortcuts are left out; of bottlenecks all three convolutions count.

    Args:
        model: a plain or residual network of the paper, trained, or a model that holds one.
        images: normalized as the network takes them, (n, height, width, channels) or channels
            first. The paper does not say which images it took.
        batch_size: images that go through together.

    Returns:
        From the layer's name, such as `"conv2_1_a"`, to the standard deviation, in the order of
        the network: conv1 and 6n more for a network of Sec. 4.2.

    Raises:
        ValueError: the model has no such layers (those of pre-activated networks come before
            the convolution), or there are no images.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8")
    >>> list(layer_responses(model, np.ones((2, 32, 32, 3), "float32")))[:3]
    ['conv1', 'conv2_1_a', 'conv2_1_b']
    """
    network = network_in(model) or model
    outputs = {
        layer.name.removesuffix("_bn"): layer.output
        for layer in network.layers
        if re.fullmatch(r"conv1_bn|conv\d+_\d+_[abc]_bn", layer.name)
    }
    preactivated = any(layer.name == "post_bn" for layer in network.layers)
    if len(outputs) < 2 or preactivated or not len(images):
        raise ValueError(
            "`model` must be a plain or residual network of the paper, and `images` hold at "
            "least one. "
            f"Received: {model.name!r} and {len(images)} images"
        )
    with deep_graph():
        tensors = exposed(calls_to(model, network), list(outputs.values()))
        responding = keras.Model(input_of(model), tensors)
    sums = np.zeros((len(outputs), 3))
    for start in range(0, len(images), batch_size):
        found = responding(images[start : start + batch_size], training=False)
        for row, response in zip(sums, keras.tree.flatten(found), strict=True):
            values = np.asarray(keras.ops.convert_to_numpy(response), "float64")
            row += (values.size, values.sum(), np.square(values).sum())
    count, total, squares = sums.T
    deviation = np.sqrt(np.maximum(squares / count - np.square(total / count), 0))
    return dict(zip(outputs, deviation.tolist(), strict=True))


@checked()
def responses_figure(responses: Mapping[str, Mapping[str, float]]) -> "Figure":
    """The two plots of Fig. 7: layers in their order above, sorted by their responses below.

    Args:
        responses: from a network's name to what `layer_responses` returns. Names that begin
            with "plain" are drawn dashed.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is nothing to draw.
    """
    if not responses or not all(responses.values()):
        raise ValueError(f"`responses` must hold a network. Received: {dict(responses)!r}")
    figure = new_figure(8, 6.4)
    every_axes = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes, title in zip(every_axes, ("in order", "sorted"), strict=True):
        for number, (name, found) in enumerate(responses.items()):
            values = list(found.values())
            if title == "sorted":
                values.sort(reverse=True)
            style = (0, (4, 2)) if name.startswith("plain") else "solid"
            color = COLORS[number % len(COLORS)]
            layers = range(1, len(values) + 1)
            axes.plot(layers, values, color=color, linestyle=style, linewidth=2, label=name)
        axes.set_ylabel("standard deviation")
        axes.set_title(f"layers {title}", loc="left", fontweight="bold")
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    low, high = (f(v for found in responses.values() for v in found.values()) for f in (min, max))
    # From zero, as the paper has it, unless that would press all curves into one line.
    low = 0 if low < 0.6 * high else low - 0.15 * (high - low)
    every_axes[0].set_ylim(low, high + 0.08 * (high - low) + 1e-6)
    every_axes[1].set_xlabel("layer" if len(responses) == 1 else "layer, or its place")
    handles, names = every_axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside upper center", ncols=min(len(names), 5), frameon=False
    )
    return figure
