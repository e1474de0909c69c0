"""What a network is and costs, against numbers that were not made with this package."""

import re

import keras
import pytest
from support import NAMES, row, without_values
from support.exact_counts import APPLICATIONS, ROWS
from support.facts import all_kinds, facts

import keras_resnet
from keras_resnet.networks.paper import TABLE_1, TABLE_6

pytestmark = pytest.mark.portable


@pytest.mark.parametrize("row", all_kinds(ROWS), ids=str)
def test_counts_are_exact(row):
    found = facts(row.network, **row.options)
    costs = found.costs
    assert (costs.trainable, costs.total, costs.macs) == (row.trainable, row.total, row.macs)
    fc = found.kernels["fc"]
    assert costs.macs - fc[0] * fc[1] == row.macs_of_convolutions


def test_every_network_of_the_table_is_counted():
    assert {row.network for row in ROWS} >= set(NAMES) - {"plain101", "plain152"}


@pytest.mark.parametrize("name", all_kinds(["plain101", "plain152"]))
def test_a_plain_net_costs_as_much_as_option_a(name):
    option_a = facts(name.replace("plain", "resnet"), shortcut="A")
    assert facts(name).costs == option_a.costs


@pytest.mark.parametrize("name", APPLICATIONS)
def test_models_of_other_packages_can_be_counted(name):
    with without_values():
        model = getattr(keras.applications, name)(weights=None)
    costs = keras_resnet.count(model)
    assert (costs.trainable, costs.total, costs.macs) == APPLICATIONS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_network_has_as_many_layers_as_its_name_says(name):
    assert row(name).depth == int(re.search(r"\d+", name)[0])


EXACT = {str(row): row for row in ROWS}


@pytest.mark.parametrize("depth", TABLE_1)
def test_multiply_adds_are_those_of_table_1(depth):
    # Table 2 compares 18 and 34 layers with option A; deeper nets have option B (Sec. 4.1).
    exact = EXACT[f"resnet{depth}-{'A' if depth < 50 else 'B'}"].macs / 1e9
    # The paper's 3.8 of ResNet-50 is 3.858 cut off, not rounded.
    assert TABLE_1[depth][-1] / 1e9 == (3.8 if depth == 50 else round(exact, 1))


@pytest.mark.parametrize("depth", TABLE_6)
def test_parameters_are_those_of_table_6(depth):
    exact = EXACT[f"cifar_resnet{depth}-A"].trainable / 1e6
    assert TABLE_6[depth][0] / 1e6 == round(exact, 2 if exact < 1 else 1)


def test_option_c_projects_thirteen_shortcuts_more_than_b():
    projections = {
        option: sum(x.endswith("_shortcut") for x in facts("resnet34", shortcut=option).kernels)
        for option in "ABC"
    }
    assert projections == {"A": 0, "B": 3, "C": 16}


def test_a_model_of_unknown_size_is_counted_for_the_size_that_is_given():
    model = keras_resnet.ResNet18(weights=None, input_shape=(None, None, 3))
    with pytest.raises(ValueError, match=r"'conv1' has an output .* Pass input_shape"):
        keras_resnet.count(model)
    assert keras_resnet.count(model, (224, 224, 3)).macs == 1_814_073_344
    assert keras_resnet.count(model, (64, 64, 3)).total == 11_699_112


def test_frozen_parameters_do_not_train():
    model = keras_resnet.ResNet20()
    model.trainable = False
    assert keras_resnet.count(model).trainable == 0
    assert keras_resnet.count(model).total == 271_098


def test_nested_models_are_counted():
    base = keras_resnet.ResNet20(include_top=False, input_shape=(32, 32, 3), pooling="avg")
    model = keras.Sequential([base, keras.layers.Dense(10)])
    assert keras_resnet.count(model) == keras_resnet.count(keras_resnet.ResNet20())
    open_base = keras_resnet.ResNet20(include_top=False, pooling="avg")
    for layers in ([open_base], [keras.layers.Rescaling(2.0), keras.Sequential([open_base])]):
        model = keras.Sequential([*layers, keras.layers.Dense(10)])
        assert keras_resnet.count(model, (32, 32, 3)) == keras_resnet.count(keras_resnet.ResNet20())


@pytest.mark.once
@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (keras.layers.Dense(5), 1_280),
        (keras.layers.Conv2D(4, 3, groups=2), 36 * 9 * 2 * 4),
        (keras.layers.Conv2DTranspose(4, 3), 9_216),
        (keras.layers.DepthwiseConv2D(3, strides=2), 9 * 9 * 4),
        (keras.layers.SeparableConv2D(4, 3, padding="same"), 3_328),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_kernel_counts_at_each_position(layer, macs):
    model = keras.Sequential([keras.Input((8, 8, 4)), layer])
    assert keras_resnet.count(model).macs == macs


@pytest.mark.once
def test_a_model_that_is_no_graph_is_not_counted():
    class Own(keras.Model):
        def call(self, x):
            return x

    for model in (Own(), keras.Sequential([keras.Input((3,)), Own(name="own")])):
        with pytest.raises(ValueError, match=r"functional (or|and) Sequential .*Received: .*Own"):
            keras_resnet.count(model)
