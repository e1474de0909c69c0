"""The index of a Keras graph: who makes, who reads, in which order, and what is nested."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_resnet.graph import (
    Graph,
    all_layers,
    backwards,
    calls_to,
    channel_axis,
    exposed,
    height_and_width,
    hidden_layers,
    is_functional,
    is_graph,
    layer_calls,
    leaf_layers,
)
from keras_resnet.layers.calls import has_mask, standardized_inputs, training_kwargs


def branched():
    """conv is read twice; the sum and the dropped map are outputs."""
    image = keras.Input((4, 4, 3), name="image")
    x = layers.Conv2D(2, 1, name="conv")(image)
    y = layers.ReLU(name="relu")(x)
    dropped = layers.Dropout(0.5, name="drop")(y)
    total = layers.Add(name="add")([x, y])
    return keras.Model(image, [total, dropped], name="branched")


def named(nodes):
    return sorted("(output)" if node is None else node.operation.name for node in nodes)


def node_of(graph, name):
    return next(node for node in graph.nodes if node.operation.name == name)


def test_every_node_comes_behind_those_that_make_what_it_reads():
    graph = Graph(branched())
    names = [node.operation.name for node in graph.nodes]
    assert names[0] == "image"
    assert sorted(names) == ["add", "conv", "drop", "image", "relu"]
    seen = set()
    for node in graph.nodes:
        assert {id(x) for x in node.input_tensors} <= seen
        seen |= {id(x) for x in node.output_tensors}
    assert [layer.name for layer in graph.layers] == names


def test_inputs_come_first_even_where_one_is_read_late():
    early, late = keras.Input((2,), name="early"), keras.Input((2,), name="late")
    x = layers.ReLU()(layers.ReLU()(early))
    graph = Graph(keras.Model([early, late], layers.Add()([x, late])))
    assert [node.is_input for node in graph.nodes] == [True, True, False, False, False]


def test_makers_and_readers_are_the_two_ends_of_a_tensor():
    model = branched()
    graph = Graph(model)
    conv = node_of(graph, "conv")
    output = id(conv.output_tensors[0])
    assert graph.maker[output] is conv
    assert named(graph.readers[output]) == ["add", "relu"]
    assert graph.inputs == [id(model.inputs[0])]
    assert graph.outputs == [id(x) for x in model.outputs]
    assert graph.calls[model.get_layer("conv")] == [conv]


def test_a_map_has_an_only_reader_if_nobody_else_and_no_output_asks_for_it():
    image = keras.Input((4, 4, 3), name="image")
    x = layers.Conv2D(2, 1, name="conv")(image)
    y = layers.ReLU(name="relu")(x)
    twice = layers.Add(name="twice")([y, y])
    alone = Graph(keras.Model(image, twice))
    assert alone.only_reader(node_of(alone, "conv")).operation.name == "relu"
    assert alone.only_reader(node_of(alone, "relu")) is None
    assert alone.only_reader(node_of(alone, "twice")) is None
    shown = Graph(keras.Model(image, [x, twice]))
    assert shown.only_reader(node_of(shown, "conv")) is None


def test_layers_can_be_skipped_both_ways():
    graph = Graph(branched())
    assert named(graph.after(node_of(graph, "conv"))) == ["add", "relu"]
    skipped = (layers.ReLU, layers.Dropout)
    assert named(graph.after(node_of(graph, "conv"), skipped)) == ["(output)", "add", "add"]
    assert graph.before(node_of(graph, "drop")).operation.name == "relu"
    assert graph.before(node_of(graph, "drop"), skipped).operation.name == "conv"
    assert graph.before(node_of(graph, "image")) is None


def test_a_layer_that_is_called_twice_has_two_nodes():
    first, second = keras.Input((3,)), keras.Input((3,))
    dense = layers.Dense(2)
    graph = Graph(keras.Model([first, second], layers.Add()([dense(first), dense(second)])))
    assert len(graph.calls[dense]) == 2
    assert graph.layers.count(dense) == 1


def test_a_sequential_model_has_the_same_graph_and_is_left_as_it_is():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a"), layers.ReLU(name="b")])
    nodes = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    graph = Graph(model)
    assert [layer.name for layer in graph.layers][1:] == ["a", "b"]
    assert graph.only_reader(graph.nodes[1]) is graph.nodes[2]
    assert {layer.name: len(layer._inbound_nodes) for layer in model.layers} == nodes


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(2)

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize(
    ("make", "received"),
    [
        (Own, "Received: Own"),
        (lambda: layers.Dense(2), "Received: Dense"),
        (lambda: keras.Sequential([layers.Dense(2)], name="waits"), "'waits', not built"),
    ],
)
def test_other_models_have_no_graph(make, received):
    with pytest.raises(ValueError, match=received):
        Graph(make())


def test_what_kind_a_model_is():
    functional, sequential = branched(), keras.Sequential([layers.Dense(2)])
    assert is_functional(functional)
    assert is_graph(functional)
    assert not is_functional(sequential)
    assert is_graph(sequential)
    assert not is_graph(Own())
    assert not is_graph(layers.Dense(2))


def nested():
    inner = branched()
    middle = keras.Sequential([keras.Input((4, 4, 3)), layers.Rescaling(2.0), inner], name="middle")
    image = keras.Input((4, 4, 3))
    total, _ = middle(image)
    return keras.Model(image, layers.Flatten(name="flat")(total)), middle, inner


def test_layers_of_nested_models_are_found_with_their_path():
    model, middle, inner = nested()
    paths = [path for path, _ in leaf_layers(model)]
    assert "middle/branched/conv" in paths
    assert paths[-1] == "flat"
    assert not {"middle", "middle/branched"} & set(paths)
    found = list(all_layers(model))
    assert found.index(middle) < found.index(inner) < found.index(inner.get_layer("conv"))


def test_layers_behind_wrappers_and_own_classes_are_found():
    own = Own()
    assert own.inner in hidden_layers(keras.Sequential([own]))
    wrapped = layers.TimeDistributed(layers.Dense(2))
    assert wrapped.layer in hidden_layers(keras.Sequential([wrapped]))


def test_a_tensor_of_a_nested_model_can_be_asked_for_from_outside():
    model, _, inner = nested()
    calls = calls_to(model, inner)
    assert named(calls) == ["branched", "middle"]
    outside = exposed(calls, {"relu": inner.get_layer("relu").output})
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    found = keras.ops.convert_to_numpy(keras.Model(model.input, outside)(x)["relu"])
    expected = inner.get_layer("relu")(inner.get_layer("conv")(2 * x))
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-6)


def test_the_way_to_a_model_that_is_called_twice_is_that_of_its_first_call():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    image = keras.Input((3,))
    twice = keras.Model(image, inner(inner(image)), name="twice")
    assert calls_to(inner, inner) == []
    (first,) = calls_to(twice, inner)
    assert first.input_tensors[0] is image
    with pytest.raises(ValueError, match=r"'twice' must be called in 'inner'. Received: 0 calls"):
        calls_to(inner, twice)
    assert [layer.name for layer, _, _ in layer_calls(twice, twice.inputs)] == ["dense"] * 2


def test_the_way_back_from_the_output_enters_nested_models_and_leaves_them():
    model, _, _ = nested()
    way = [(node.operation.name, len(calls)) for node, calls in backwards(model)]
    assert [name for name, _ in way[:3]] == ["flat", "add", "conv"]
    assert [depth for _, depth in way] == [0, 2, 2, 1, 0]


def test_the_layers_of_nested_models_are_called_on_other_shapes():
    image = keras.Input((None, None, 3))
    inner = keras.Model(image, layers.Conv2D(2, 3, name="conv")(image))
    model = keras.Sequential([inner, layers.Flatten(name="flat")])
    calls = layer_calls(model, [keras.Input((6, 6, 3))])
    shapes = {layer.name: (given.shape[1:], made.shape[1:]) for layer, given, made in calls}
    assert shapes == {"conv": ((6, 6, 3), (4, 4, 2)), "flat": ((4, 4, 2), (32,))}


def test_inputs_are_what_keras_makes_of_them():
    image = keras.Input((2, 2, 3), name="image")
    model = keras.Model([image], layers.ReLU()(image))
    tensor = keras.ops.ones((1, 2, 2, 3), "int32")
    for inputs in (tensor, [tensor], {"image": tensor}):
        (found,) = standardized_inputs(model, inputs)
        assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_a_mask_is_seen():
    x = layers.Masking()(np.ones((1, 2, 3), "float32"))
    assert has_mask(x)
    assert not has_mask(keras.ops.ones((1, 2)))


def test_layers_take_training_and_operations_do_not():
    image = keras.Input((3,))
    add = Graph(keras.Model(image, image + 1)).nodes[-1].operation
    assert training_kwargs(layers.BatchNormalization(), True) == {"training": True}
    assert training_kwargs(layers.BatchNormalization(), None) == {}
    assert training_kwargs(add, True) == {}


def test_where_channels_and_sides_are():
    assert channel_axis() == channel_axis("channels_last") == 3
    assert channel_axis("channels_first") == 1
    assert height_and_width((None, 5, 7, 3)) == (5, 7)
    assert height_and_width((None, 3, 5, 7), "channels_first") == (5, 7)


def test_the_configured_data_format_is_the_default(channels_first):
    assert channel_axis() == 1
    assert height_and_width((None, 3, 5, 7)) == (5, 7)
