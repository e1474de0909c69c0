"""Training a network that has been trained before: a new head, and what stays as it is.

The usual order is a new head first, with everything else frozen; then the last stage or two
at a tenth of the learning rate. A layer that is frozen must be frozen before `compile`.
"""

import keras

from keras_resnet.graph import all_layers
from keras_resnet.network import Network, carry, graph_of
from keras_resnet.networks.assembly import Top, pooled_classifier
from keras_resnet.networks.checks import checked_classes
from keras_resnet.weights.layout import place_of


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


def unfreeze_from(model: keras.Model, stage: str, batch_norm: bool = False) -> list[str]:
    """Trains a network from one stage on and freezes what comes before.

    Early stages detect edges and textures, which serve any photograph; late ones detect parts
    of what they were trained on. The fewer images there are, the later the stage to begin at.

    Args:
        model: a network, or a model built around one. Compile it afterwards.
        stage: `"conv1"`, `"conv2"`, ...: the first stage that is trained; `"fc"` trains the
            head alone. Layers that are not the network's own are always trained.
        batch_norm: whether the batch normalizations of those stages are trained as well. With
            fewer than about 16 images a step they had better not be (`freeze_batch_norm`).

    Returns:
        The names of the layers that are trained and hold weights.

    Raises:
        ValueError: the network has no such stage.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> unfreeze_from(model, "conv4")
    ['conv4_1_a', 'conv4_1_b', 'fc']
    """
    layers = [layer for layer in all_layers(model) if layer.weights and not has_layers(layer)]
    places = {layer.name: place_of(layer.name) for layer in layers}
    stages = sorted({place.stage for place in places.values() if place})
    accepted = [*(f"conv{number}" for number in stages), "fc"]
    if stage not in accepted:
        choices = ", ".join(map(repr, accepted))
        raise ValueError(f"`stage` must be one of {choices}. Received: stage={stage!r}")
    first = 1 + max(stages, default=0) if stage == "fc" else int(stage.removeprefix("conv"))
    for outer in (model, *filter(has_layers, all_layers(model))):
        outer.trainable = True  # also sets what is inside, so this comes first
    trained = []
    for layer in layers:
        place = places[layer.name]
        frozen = place is not None and place.stage < first
        kept = isinstance(layer, keras.layers.BatchNormalization) and place and not batch_norm
        layer.trainable = not (frozen or kept)
        if layer.trainable:
            trained.append(layer.name)
    return trained


def has_layers(layer) -> bool:
    return bool(getattr(layer, "layers", None))


def new_head(
    model: keras.Model, classes: int, classifier_activation="softmax", name: str | None = None
) -> Network:
    """The same network with a fully connected layer of its own for other classes.

    Args:
        model: a network with or without its own head. Its layers are shared, not copied.
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
    classes = checked_classes(classes)
    pools = [layer for layer in model.layers if layer.name == "pool"]
    features = pools[0].input if pools else model.outputs[0]
    if len(features.shape) != 4:
        raise ValueError(
            "`model` must be a network of this package, or end in a map of features "
            f"(include_top=False, pooling=None). Received: an output of shape {features.shape}"
        )
    top = Top(classes, keras.activations.get(classifier_activation))
    new = Network(model.input, pooled_classifier(features, top), name=name or model.name)
    graph = graph_of(model)
    return carry(new, {**graph, "classes": classes}) if graph else new
