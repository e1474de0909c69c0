"""The model class: a Keras functional model of any depth, which knows what it was built as."""

import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

from keras_resnet.common.files import GRAPH, check_same, graph_in_hdf5, parsed
from keras_resnet.graph import all_layers, calls_to, deep_graph, exposed, leaf_layers
from keras_resnet.layers import Conv2D, kernels
from keras_resnet.layers.calls import stored_attributes
from keras_resnet.layers.fusion import plan_of


@keras.saving.register_keras_serializable("keras_resnet")
class Network(keras.Model):
    """A functional model of any depth that runs several layers as one where it may.

    It is built, cloned, saved and loaded like any `keras.Model`. Stock Keras walks the graph
    recursively and stops at about 300 weighted layers with a RecursionError. On torch,
    convolution, normalization, addition and ReLU run as one operation; on TensorFlow and JAX
    the compilers see the whole graph themselves. The graph, its layers and their results stay
    those of an ordinary functional model.

    A network of `build` writes what it was built as into every file of its weights, and refuses
    weights of a network that computes something else.

    Args:
        inputs, outputs: symbolic tensors, or lists or dicts of them, as `keras.Model` takes.
        name: of the model.
    """

    # `inputs`, `outputs` and `name`: Keras rebuilds a class from a graph only where the
    # arguments look like Functional's, which a decorator hides until Keras 3.14.
    def __init__(self, *args, **kwargs):
        with deep_graph():
            super().__init__(*args, **kwargs)

    def __call__(self, *args, **kwargs):
        outputs = kernels.active.run_compiled(self, args, kwargs)
        return super().__call__(*args, **kwargs) if outputs is NotImplemented else outputs

    def call(self, inputs, training=None, mask=None, **kwargs):
        if mask is None and not kwargs:
            outputs = kernels.active.run_fused(self, inputs, training, plan_of)
            if outputs is not NotImplemented:
                return outputs
        return super().call(inputs, training=training, mask=mask, **kwargs)

    def train_step(self, *args, **kwargs):
        kernels.active.prepare_optimizer(self)
        return super().train_step(*args, **kwargs)

    def get_config(self):
        built_as = getattr(self, "built_as", None)
        return {**super().get_config(), **({GRAPH: json.loads(built_as)} if built_as else {})}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        built_as = config.pop(GRAPH, None)
        model = super().from_config(config, custom_objects)
        return carry(model, built_as) if built_as else model

    # Those of a plain `keras.Model` are replaced by these, too: see `carry`.
    def get_layer(self, name=None, index=None):
        """The layer of this name, of the paper's or of keras.applications', or at an index."""
        names = {layer.name for layer in self.layers} if name is not None else {None}
        other = papers_name(str(name))
        name = other if name not in names and other in names else name
        return keras.Model.get_layer(self, name, index)

    def load_weights(self, filepath, *args, **kwargs):
        if (graph := graph_in_hdf5(filepath)) is not None:
            check_same_graph(self, graph, str(filepath))
        return keras.Model.load_weights(self, filepath, *args, **kwargs)

    def save_own_variables(self, store):
        keras.Model.save_own_variables(self, store)
        if (built_as := getattr(self, "built_as", None)) is not None:
            stored_attributes(store)[GRAPH] = built_as

    def load_own_variables(self, store):
        if GRAPH in (attributes := stored_attributes(store)):
            check_same_graph(self, parsed(attributes[GRAPH], "The file"), "The file")
        keras.Model.load_own_variables(self, store)


# The class that files of version 0.1 name, and how `.h5` files of whole models name theirs.
keras.saving.get_custom_objects().update(
    dict.fromkeys(("keras_resnet>FusedNetwork", "FusedNetwork", "Network"), Network)
)


# ---- layers by the names of keras.applications --------------------------------------------

PARTS = {"preact": "preact", "0": "shortcut", "1": "a", "2": "b", "3": "c"}
KINDS = {"conv": "", "bn": "_bn", "relu": "_relu", "pad": "_pad"}
NAMES = {"conv1_conv": "conv1", "avg_pool": "pool", "max_pool": "pool", "predictions": "fc"}
# VGG's layers there have their ReLU inside: what they give is what it gives here.
NAMES |= {"probs": "fc", "pool1_pool": "pool1", "fc1": "fc6_relu", "fc2": "fc7_relu"}


def papers_name(name: str) -> str:
    """The name of our layer that gives what the layer of keras.applications of a name does.

    Example:

    >>> [papers_name(name) for name in ("conv5_block3_2_relu", "conv5_block3_out", "block1_conv2")]
    ['conv5_3_b_relu', 'conv5_3', 'conv1_2_relu']
    """
    if match := re.fullmatch(r"conv(\d)_block(\d+)_([0-3]|preact)_(conv|bn|relu|pad)", name):
        return f"conv{match[1]}_{match[2]}_{PARTS[match[3]]}{KINDS[match[4]]}"
    if match := re.fullmatch(r"conv(\d)_block(\d+)_(?:out|(add))", name):
        return f"conv{match[1]}_{match[2]}{'_add' if match[3] else ''}"
    if match := re.fullmatch(r"block(\d)_(?:conv(\d)|pool)", name):
        return f"conv{match[1]}_{match[2]}_relu" if match[2] else f"pool{match[1]}"
    return NAMES.get(name, name)


# ---- the network within a model -------------------------------------------------------------

# A layer and its activation give one name; the output of the later one is taken.
ENDS = re.compile(
    r"(conv[12]|fc[1267])(?:_p?relu)?|(inception_\d[a-e]|spp)|(conv\d+)_\d+(?:_p?relu)?"
)


def endpoints(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """The outputs of conv1, conv2_x, ..., by the papers' names, for feature extraction.

    Args:
        model: a network of this package, of any options, loaded or cloned, or a functional or
            Sequential model in which one is called, at any depth. The tensors are those of
            `model`; of a network that is called several times, those of its first call.

    Returns:
        A dict from `"conv1"` (after BN and ReLU), `"conv2_x"`, ... to symbolic tensors: the
        last output of every stage. VGG's and PReLU-net's are their groups' and their fully
        connected layers', GoogLeNet's and BN-Inception's `"conv1"`, `"conv2"` and
        `"inception_3a"` to `"inception_5b"`.

    Raises:
        ValueError: the model has no layers of these names, or there are two such networks in it.

    Example:

    >>> import keras, keras_resnet
    >>> base = keras_resnet.ResNet20(include_top=False, input_shape=(32, 32, 3))
    >>> features = keras.Model(base.input, keras_resnet.endpoints(base))
    >>> list(features.output)
    ['conv1', 'conv2_x', 'conv3_x', 'conv4_x']
    """
    network = required_network(model)
    return exposed(calls_to(model, network), ends_of(network))


def ends_of(model) -> dict[str, keras.KerasTensor]:
    """The outputs of those of a model's own layers that the papers name."""
    ends = {}
    for layer in model.layers:
        if match := ENDS.fullmatch(layer.name):
            ends[match[1] or match[2] or f"{match[3]}_x"] = layer.output
    return ends


def networks_in(model: keras.Model) -> list[keras.Model]:
    """The networks of this package that a model is or holds, by the names of their layers."""
    every = dict.fromkeys((model, *all_layers(model)))  # one may be called several times
    models = [x for x in every if isinstance(x, keras.Model)]
    return [x for x in models if len(ends := ends_of(x)) > 1 and {"conv1", "conv1_x"} & set(ends)]


def network_in(model: keras.Model) -> keras.Model | None:
    """The only one of them; None where there is none.

    Raises:
        ValueError: there are several.
    """
    found = networks_in(model)
    if len(found) > 1:
        names = " and ".join(repr(network.name) for network in found)
        raise ValueError(
            f"There must be one network of keras_resnet in the model. Received: {names} in "
            f"{model.name!r}. Pass one of them"
        )
    return found[0] if found else None


def required_network(model: keras.Model) -> keras.Model:
    """The same, of a model that must be or hold one."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"`model` must be a Keras model. Received: {type(model).__name__}")
    if network := network_in(model):
        return network
    shown = ", ".join(layer.name for layer in model.layers[:5])
    raise ValueError(
        "The model must be one of keras_resnet's, with layers named conv1_relu, conv2_1, ..., or "
        f"hold one. Received: {model.name!r} with layers {shown}, ..."
    )


# ---- what a network was built as ----------------------------------------------------------


def carry(model: keras.Model, graph: Mapping[str, Any]) -> keras.Model:
    """Has a model remember what it was built as: the record that `graph_record` makes.

    Its first convolution remembers it too, for clones and for models that a user makes of its
    layers. Where layers are shared by several models, it is the first that counts.
    """
    model.built_as = json.dumps(graph)
    if not isinstance(model, Network):
        for name in ("get_layer", "load_weights", "save_own_variables", "load_own_variables"):
            setattr(model, name, types.MethodType(getattr(Network, name), model))
    for _, layer in leaf_layers(model):
        if layer.name.startswith("conv1") and isinstance(layer, keras.layers.Conv2D):
            mark(layer, model.built_as)
            break
    return model


def mark(layer: keras.layers.Conv2D, built_as: str) -> None:
    if getattr(layer, "built_as", None):
        return
    layer.built_as = built_as
    if not isinstance(layer, Conv2D):
        for name in ("save_own_variables", "load_own_variables"):
            setattr(layer, name, types.MethodType(getattr(Conv2D, name), layer))


def records_in(layer: Any) -> Iterator[str]:
    """What a model or a layer was built as, or else all that is inside it."""
    if (built_as := getattr(layer, "built_as", None)) is not None:
        yield built_as
    else:
        for inner in getattr(layer, "layers", ()):
            yield from records_in(inner)


def graph_of(model: keras.Model) -> dict[str, Any] | None:
    """What a model was built as, or the only network of this package inside it; else None."""
    inside = set(records_in(model))
    return json.loads(inside.pop()) if len(inside) == 1 else None


def check_same_graph(
    model: keras.Model, graph: Mapping[str, Any], what: str, meant: Iterable[str] = ()
) -> None:
    """Raises where weights are of a network that computes something else than a model.

    Args:
        graph: what the weights are of.
        what: holds the weights, for the message.
        meant: differences that are asked for.
    """
    if (mine := graph_of(model)) is not None:
        received = f"the model {model.name!r}"
        check_same(graph, mine, what, received, meant, "; nothing was loaded")
