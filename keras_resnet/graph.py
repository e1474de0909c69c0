"""One index of the graph of a Keras model, and the only file that reads Keras' graph internals.

Each private name of Keras is used in one function here, tried with the versions that
docs/reliability.md lists; `tests/test_internals.py` says which file may use which. Where a Keras
lacks one, `layers/calls.py` says so before a model is run another way than Keras runs it.
"""

import contextlib
import functools
import sys
import threading
import warnings
from collections.abc import Generator, Iterator
from typing import Any

import keras

# Keras walks a graph with one Python frame a node; ResNet-1202 has 4,800 nodes.
# CPython keeps the frames of Python functions on the heap, so the walk is safe.
DEEPEST_GRAPH = 200_000
_limit_lock = threading.RLock()


@contextlib.contextmanager
def deep_graph():
    """Lets Keras walk a graph deeper than Python's recursion limit, then restores the limit."""
    with _limit_lock:  # two threads must not restore each other's limit
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEPEST_GRAPH))
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)


class Graph:
    """Who makes and who reads each symbolic tensor of a functional or Sequential model.

    A node is one call of a layer, or of an operation of keras.ops: `node.operation` is called on
    `node.input_tensors` and makes `node.output_tensors`. Tensors are known by their `id`. A model
    that is called in another one is one node there, and has a `Graph` of its own.

    Attributes:
        nodes: every node, inputs first, each one after those that make what it reads.
        inputs, outputs: ids of the model's own inputs and outputs.
        maker: from a tensor to the node that makes it.
        readers: from a tensor to the nodes that read it, one entry for each time.
        calls: from a layer to its nodes.
        layers: the layers and operations, in the order of their first call.

    Raises:
        ValueError: the model is of another kind, or a Sequential model that is not built.

    Example:

    >>> image = keras.Input((8, 8, 3))
    >>> y = keras.layers.Conv2D(4, 3, name="conv")(image)
    >>> graph = Graph(keras.Model(image, keras.layers.ReLU(name="relu")(y)))
    >>> [layer.name for layer in graph.layers[1:]], graph.only_reader(graph.nodes[1]).operation.name
    (['conv', 'relu'], 'relu')
    """

    def __init__(self, model: Any):
        self.nodes = sorted(nodes_of(model), key=lambda node: not node.is_input)
        self.inputs = [id(tensor) for tensor in model.inputs]
        self.outputs = [id(tensor) for tensor in model.outputs]
        self.maker: dict[int, Any] = {}
        self.readers: dict[int, list[Any]] = {}
        self.calls: dict[Any, list[Any]] = {}
        for node in self.nodes:
            self.calls.setdefault(node.operation, []).append(node)
            for tensor in node.output_tensors:
                self.maker[id(tensor)] = node
            for tensor in node.input_tensors:
                self.readers.setdefault(id(tensor), []).append(node)
        self.layers = list(self.calls)

    def only_reader(self, node) -> Any:
        """The node that alone reads the output of `node`; None if others, or the caller, do too."""
        target = id(node.output_tensors[0])
        readers = self.readers.get(target, ())
        return readers[0] if len(readers) == 1 and target not in self.outputs else None

    def before(self, node, skipped: tuple[type, ...] = ()) -> Any:
        """The node whose output `node` reads first, past layers of the skipped classes; or None."""
        found = self.maker[id(node.input_tensors[0])] if node.input_tensors else None
        while found is not None and isinstance(found.operation, skipped):
            found = self.before(found)
        return found

    def after(self, node, skipped: tuple[type, ...] = ()) -> list[Any]:
        """The nodes that read the output of `node`, likewise; None for an output of the model."""
        tensor = id(node.output_tensors[0])
        found: list[Any] = [None] if tensor in self.outputs else []
        for reader in self.readers.get(tensor, ()):
            skips = isinstance(reader.operation, skipped)
            found += self.after(reader, skipped) if skips else [reader]
        return found


def nodes_of(model: Any) -> list[Any]:
    """The nodes of a functional or Sequential model, each after those that it reads from."""
    wanted = "`model` must be a functional or Sequential Keras model"
    if isinstance(model, keras.Sequential):
        if not model.built:
            raise ValueError(f"{wanted} that has been built. Received: {model.name!r}, not built")
        with deep_graph():
            model = keras.Function(model.inputs, model.outputs)
    elif not is_functional(model):
        raise ValueError(f"{wanted}. Received: {type(model).__name__}")
    if not hasattr(model, "_nodes_by_depth"):
        raise RuntimeError(
            f"This needs the graph of a model, which Keras {keras.__version__} keeps elsewhere "
            "than those that keras_resnet was tried with: see docs/reliability.md"
        )
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def is_functional(model: Any) -> bool:
    """Whether Keras runs the model node by node."""
    return isinstance(model, keras.Model) and hasattr(model, "operations")


def is_graph(model: Any) -> bool:
    """Whether a model has a `Graph`: a functional or Sequential one."""
    return is_functional(model) or isinstance(model, keras.Sequential)


# ---- nested models ------------------------------------------------------------------------


def all_layers(model: Any) -> Iterator[Any]:
    """The layers of a model, each model among them followed by its own layers."""
    for layer in model.layers:
        yield layer
        if has_layers(layer):
            yield from all_layers(layer)


def leaf_layers(model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and layer of all layers that are no models, such as `"resnet50/conv1"`."""
    for layer in model.layers:
        if has_layers(layer):
            yield from leaf_layers(layer, f"{path}{layer.name}/")
        else:
            yield f"{path}{layer.name}", layer


def has_layers(layer: Any) -> bool:
    return bool(getattr(layer, "layers", None))


def hidden_layers(model: Any) -> list[Any]:
    """Every layer, also those in attributes of wrappers and of classes of the user's own."""
    if not hasattr(model, "_flatten_layers"):
        warn_of(("_flatten_layers",), "Layers in wrappers and in attributes are not looked into")
        return list(all_layers(model))
    return list(model._flatten_layers())


def calls_to(model: Any, inner: Any) -> list[Any]:
    """The nodes that lead into a model within another, outermost first; none to the model itself.

    They are those of its first call, where it is called several times.

    Raises:
        ValueError: `inner` is not called.
    """
    for found, calls in called_models(model):
        if found is inner:
            return calls
    raise ValueError(f"{inner.name!r} must be called in {model.name!r}. Received: 0 calls")


def called_models(model: Any) -> Iterator[tuple[Any, list[Any]]]:
    """A model and each one that is called within it, with the nodes that lead there."""
    yield model, []
    for node in Graph(model).nodes:
        if is_graph(node.operation):
            for found, calls in called_models(node.operation):
                yield found, [node, *calls]


def exposed(calls: list[Any], tensors: Any) -> Any:
    """Tensors of a model within another as tensors of the outermost.

    Args:
        calls: the nodes that lead to the model, outermost first.
        tensors: any structure of symbolic tensors of that model.
    """
    with deep_graph():
        for node in reversed(calls):
            inner = node.operation
            kind = type(inner) if type(inner).__module__ == "keras_resnet.network" else keras.Model
            tensors = kind(inner.inputs, tensors, name=inner.name)(node.input_tensors)
    return tensors


def input_of(model: Any) -> Any:
    """The inputs of a functional or Sequential model, in the structure that it takes."""
    return model.input if is_functional(model) else model.inputs[0]


def backwards(model: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The nodes from the model's first output back along first inputs, to its first input.

    Nested models are entered. With each node come the calls that lead to its model.
    """
    graphs, calls = [Graph(model)], list[Any]()
    tensor = graphs[0].outputs[0]
    while True:
        node = graphs[-1].maker[tensor]
        if is_graph(node.operation):
            calls.append(node)
            graphs.append(Graph(node.operation))
            tensor = graphs[-1].outputs[[id(x) for x in node.output_tensors].index(tensor)]
        elif node.is_input and calls:
            number = graphs.pop().inputs.index(tensor)
            tensor = id(calls.pop().input_tensors[number])
        else:
            yield node, [*calls]
            if not node.input_tensors:
                return
            tensor = id(node.input_tensors[0])


def layer_calls(model: Any, inputs: list[Any]) -> Generator[tuple[Any, Any, Any], None, list[Any]]:
    """Each call of a layer that is no model, when `model` is called: layer, input, output.

    Args:
        model: a functional or Sequential model; those within it are entered.
        inputs: symbolic tensors, as many as `model.inputs`. Their shapes may be other ones.

    Yields:
        The layer, its first input and its first output, both symbolic.

    Returns:
        The outputs of the model, symbolic.
    """
    graph = Graph(model)
    values = dict(zip(graph.inputs, inputs, strict=True))
    same = all(given.shape == own.shape for given, own in zip(inputs, model.inputs, strict=True))
    for node in graph.nodes:
        if node.is_input:
            continue
        given = [values[id(tensor)] for tensor in node.input_tensors]
        if is_graph(node.operation):
            made = yield from layer_calls(node.operation, given)
        else:
            made = node.output_tensors if same else shapes_of(node, values)
            yield node.operation, given[0], made[0]
        values.update(zip(map(id, node.output_tensors), made, strict=True))
    return [values[tensor] for tensor in graph.outputs]


def shapes_of(node, values: dict[int, Any]) -> list[Any]:
    """The outputs of a node for other inputs, symbolic and of no graph."""
    args, kwargs = node.arguments.fill_in(values)
    return keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs))


# ---- data formats -------------------------------------------------------------------------


def channel_axis(data_format: str | None = None) -> int:
    """The axis of the channels in a batch of maps; of the configured format by default."""
    return 1 if (data_format or keras.config.image_data_format()) == "channels_first" else 3


def height_and_width(shape, data_format: str | None = None) -> tuple[Any, Any]:
    """Height and width in the shape of a batch of maps."""
    return tuple(shape[2:4] if channel_axis(data_format) == 1 else shape[1:3])


# ---- what may be missing --------------------------------------------------------------------


@functools.cache
def warn_of(names: tuple[str, ...], effect: str) -> None:
    """Warns once that Keras lacks private names."""
    warnings.warn(
        f"Keras {keras.__version__} has no {', '.join(names)} where keras_resnet looks. {effect}",
        stacklevel=3,
    )
