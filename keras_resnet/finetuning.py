"""Training a network that has been trained before: a new head, and what stays as it is.

The usual order is a new head first, with everything else frozen; then the last stage or two
at a tenth of the learning rate. A layer that is frozen must be frozen before `compile`.
"""

import re

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.graph import all_layers, backwards, exposed, has_layers, input_of
from keras_resnet.network import Network, carry, graph_of, network_in, required_network
from keras_resnet.networks.assembly import Top, classifier, pooled_classifier
from keras_resnet.networks.checks import checked_classes

# What follows the last stage of a pre-activation network belongs to that stage.
STAGE = re.compile(r"(conv\d+|inception_\d[a-e]|fc\d|post)(_.*)?")


@checked()
def freeze_batch_norm(model: keras.Model) -> int:
    """Keeps every batch normalization as it was trained: statistics, gamma and beta.

    The statistics were gathered over the whole of ImageNet. With batches of a few images,
    as fine-tuning often has, each batch would replace them by its own noise, and a model that
    learns well in training then fails in evaluation. Frozen, Keras runs the layer in
    inference mode also while training.

    Args:
        model: a network, or a model built around one. Compile it afterwards.

    Returns:
        How many layers were frozen.

    Raises:
        TypeError: it is no model.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> freeze_batch_norm(model)
    7
    """
    found = [x for x in all_layers(model) if isinstance(x, keras.layers.BatchNormalization)]
    for layer in found:
        layer.trainable = False
    return len(found)


@checked()
def unfreeze_from(model: keras.Model, stage: str, batch_norm: bool = False) -> list[str]:
    """Trains a network from one stage on and freezes what comes before.

    Early stages detect edges and textures, which serve any photograph; late ones detect parts
    of what they were trained on. The fewer images there are, the later the stage to start from.

    Args:
        model: a network, or a model built around one. Compile it afterwards.
        stage: the first stage that is trained: `"conv1"`, `"conv2"`, ..., of GoogLeNet and
            BN-Inception also `"inception_3a"` and so on, of VGG and PReLU-nets `"fc6"`, `"fc7"`
            or `"fc1"`, `"fc2"`. `"fc"` trains the head alone. Layers that are not the network's
            own are always trained.
        batch_norm: whether the batch normalizations of those stages are trained as well. Leave
            them frozen with fewer than about 16 images a step (`freeze_batch_norm`).

    Returns:
        The names of the layers that are trained and hold weights.

    Raises:
        ValueError: the network has no such stage, or the model holds no network of this
            package, or two.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> unfreeze_from(model, "conv4")
    ['conv4_1_a', 'conv4_1_b', 'fc']
    """
    stages = stages_of(required_network(model))
    order = [*dict.fromkeys(stages.values()), "fc"]
    if stage not in order:
        choices = ", ".join(map(repr, order))
        raise ValueError(f"`stage` must be one of {choices}. Received: stage={stage!r}")
    frozen = order[: order.index(stage)]
    layers = list(all_layers(model))
    for outer in (model, *filter(has_layers, layers)):
        outer.trainable = True  # also sets what is inside, so this comes first
    trained = []
    for layer in (layer for layer in layers if layer.weights and not has_layers(layer)):
        own = stages.get(layer)
        kept = own and isinstance(layer, keras.layers.BatchNormalization) and not batch_norm
        layer.trainable = not (own in frozen or kept)
        if layer.trainable:
            trained.append(layer.name)
    return trained


def stages_of(network: keras.Model) -> dict[keras.Layer, str]:
    """The stage of each of a network's layers that hold weights, its head left out, in order."""
    stages: dict[keras.Layer, str] = {}
    for layer in network.layers:
        if layer.weights and (match := STAGE.fullmatch(layer.name)):
            stages[layer] = [*stages.values()][-1] if match[1] == "post" else match[1]
    return stages


@checked()
def new_head(
    model: keras.Model, classes: int, classifier_activation="softmax", name: str | None = None
) -> Network:
    """The same network with a fully connected layer of its own for other classes.

    Everything before the last fully connected layer stays, pooling and dropout too.

    Args:
        model: a network with or without its own head, or a model built around one. Its layers
            are shared, not copied.
        classes: units of the new layer.
        classifier_activation: of the new layer; None returns logits.
        name: of the new model; that of `model` by default.

    Returns:
        A model that ends in a new, randomly initialized layer `fc`.

    Raises:
        ValueError: `model` neither has a head of this package nor ends in a map.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> new_head(model, classes=5).output.shape
    (None, 5)
    """
    top = Top(checked_classes(classes), keras.activations.get(classifier_activation))
    features = features_of(model)
    head = pooled_classifier if len(features.shape) == 4 else classifier
    new = Network(input_of(model), head(features, top), name=name or model.name)
    graph = graph_of(model)
    return carry(new, {**graph, "classes": top.classes}) if graph else new


def features_of(model: keras.Model) -> keras.KerasTensor:
    """What the last fully connected layer reads, or what a model without one returns."""
    activations = (keras.layers.Activation, keras.layers.Softmax)
    for node, calls in backwards(model):
        if isinstance(node.operation, activations):
            continue
        dense = isinstance(node.operation, keras.layers.Dense)
        tensor = node.input_tensors[0] if dense else node.output_tensors[0]
        if len(tensor.shape) == 4 or (len(tensor.shape) == 2 and network_in(model)):
            return exposed(calls, tensor)
        break
    raise ValueError(
        "`model` must be a network of this package, or end in a map of features "
        f"(include_top=False, pooling=None). Received: an output of shape {model.outputs[0].shape}"
    )
