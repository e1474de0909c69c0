"""One table of options: signatures, help, types, the docs and what weights imply follow from it."""

import dataclasses
import importlib
import inspect
import itertools
import pathlib
import sys
from typing import Literal, get_args, get_origin

import keras
import pytest
from support import EVERY, row, without_values

import keras_resnet
from keras_resnet.networks.family import BUILDERS, NETWORKS
from keras_resnet.networks.options import ARGUMENTS, OPTIONS, UNSAID, Options, options_of, resolve
from keras_resnet.networks.paper import Shortcut
from keras_resnet.weights import graph_options
from keras_resnet.weights.records import RECORDS

pytestmark = pytest.mark.once
ROOT = pathlib.Path(__file__).parents[2]


def accepted(network, **options) -> bool:
    try:
        resolve(network, options)
    except ValueError:
        return False
    return True


def some_value(option, network):
    """A value of an option that is not its default, and that some network takes."""
    if option.type in (bool, float):
        return {bool: True, float: 0.5}[option.type]
    where = network if not option.lacks(network) else row("resnet50")
    return next(v for v in reversed(option.values_of(where)) if v != option.default)


@pytest.mark.parametrize("name", EVERY)
def test_a_network_has_the_options_that_it_takes_with_one_of_its_shortcuts(name):
    shortcuts = [None, *get_args(Shortcut)] if row(name).shortcut else [None]
    takes = {
        option.name
        for option, shortcut in itertools.product(OPTIONS.values(), shortcuts)
        if accepted(row(name), **{"shortcut": shortcut, option.name: some_value(option, row(name))})
    }
    assert takes == set(options_of(row(name)))


def test_the_options_of_a_network_are_the_tables_without_fields_of_the_row():
    fields = [field.name for field in dataclasses.fields(Options)]
    assert fields == [n for n, o in OPTIONS.items() if not o.is_field] + ["mean", "std"]
    row_fields = {field.name for field in dataclasses.fields(keras_resnet.Architecture)}
    assert {name for name, option in OPTIONS.items() if option.is_field} <= row_fields


@pytest.mark.parametrize("name", EVERY)
def test_defaults_are_among_the_values(name):
    _, options = resolve(row(name), {})
    for option in options_of(row(name)).values():
        values = option.values_of(row(name))
        value = getattr(row(name) if option.is_field else options, option.name)
        assert not values or value in values, option.name


@pytest.mark.parametrize("name", BUILDERS)
def test_a_builder_lists_every_option_of_its_network_and_no_other(name):
    builder, network = getattr(keras_resnet, name), row(BUILDERS[name])
    parameters = inspect.signature(builder).parameters
    assert list(parameters) == [*ARGUMENTS, *options_of(network)]
    assert inspect.signature(builder).return_annotation is keras.Model
    for option in options_of(network).values():
        parameter = parameters[option.name]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == (None if option.optional else option.default)
        values = option.values_of(network)
        if values:
            assert get_origin(parameter.annotation) is Literal
            assert [v for v in get_args(parameter.annotation) if v is not None] == [*values]
        assert f"\n    {option.name}: {option.text.split()[0]}" in builder.__doc__
    for other in set(OPTIONS) - set(options_of(network)):
        assert f"\n    {other}: " not in builder.__doc__
    assert "Returns:" in builder.__doc__
    assert "Raises:" in builder.__doc__


def test_resnet_50_and_34_differ_by_the_stride_of_the_bottleneck():
    fifty, thirty_four = (
        inspect.signature(builder).parameters
        for builder in (keras_resnet.ResNet50, keras_resnet.ResNet34)
    )
    assert set(fifty) - set(thirty_four) == {"stride_on"}
    assert set(thirty_four) - set(fifty) == {"block_dropout"}
    assert fifty["stride_on"].annotation == Literal["1x1", "3x3", None]
    assert fifty["output_stride"].annotation == Literal[32, 16, 8, None]
    cifar = inspect.signature(keras_resnet.ResNet20).parameters
    assert cifar["output_stride"].annotation == Literal[4, 2, 1, None]
    assert not {"pool1", "stem", "first_norm"} & set(cifar)


def test_build_lists_and_documents_every_option():
    parameters = inspect.signature(keras_resnet.build).parameters
    assert list(parameters) == ["network", *ARGUMENTS, *OPTIONS]
    for name in parameters:
        assert f"\n    {name}: " in keras_resnet.build.__doc__, name
    assert ">>> " in keras_resnet.build.__doc__
    assert "OPTIONS" not in keras_resnet.build.__doc__


def test_the_first_convolution_is_five_calls_from_the_builder(monkeypatch):
    package = str(pathlib.Path(keras_resnet.__file__).parent)

    def stop(self, *args, **kwargs):
        calls = [frame.function for frame in inspect.stack() if frame.filename.startswith(package)]
        raise LookupError(*calls)

    monkeypatch.setattr(keras_resnet.layers.Conv2D, "__init__", stop)
    with pytest.raises(LookupError) as stopped:
        keras_resnet.ResNet50(weights=None)
    assert stopped.value.args == ("conv_bn", "stem", "resnet", "build", "builder")


def test_the_stub_and_the_docs_are_what_the_tables_say(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.setattr(sys, "argv", ["builders.py", "--check"])
    tool = importlib.import_module("builders")
    for path, write in tool.PAGES.items():
        assert path.read_text() == write(path.read_text()), "run python tools/builders.py"


def test_every_record_implies_options_that_weights_may_imply():
    implied = {name for name, option in OPTIONS.items() if option.graph == "implied"}
    assert {name for record in RECORDS for name in record.options} <= implied
    assert set(UNSAID) <= implied
    for record in RECORDS:
        built, options = resolve(record.architecture, {}, record.options)
        for name, value in record.options.items():
            assert getattr(built if OPTIONS[name].is_field else options, name) == value


SHOWN = {name: option for name, option in OPTIONS.items() if option.graph}


@pytest.mark.parametrize("name", SHOWN)
def test_the_layers_of_a_model_show_each_option_that_its_weights_depend_on(name):
    rows = [
        keras_resnet.Architecture("bottleneck", (2, 1, 1), 8, "imagenet", "B"),
        keras_resnet.Architecture("basic", (1, 1), 8, "cifar", "A"),
        keras_resnet.Architecture("basic", (1, 1), 8, "imagenet", "B", order="preactivation"),
        *map(row, ("bn_inception", "prelu_net_a")),
    ]
    network = next(one for one in rows if not SHOWN[name].lacks(one))
    resolved, options = resolve(network, {})
    default = getattr(resolved if SHOWN[name].is_field else options, name)
    for value in SHOWN[name].values_of(network) or (False, True):
        with without_values():
            model = keras_resnet.build(network, **{name: value})
        assert graph_options(model).get(name, default) == value


def test_what_a_user_asks_for_comes_before_what_weights_imply():
    implied = {"shortcut": "B", "stride_on": "3x3"}
    _, options = resolve(row("resnet50"), {"stride_on": None}, implied)
    assert options.stride_on == "3x3"
    _, options = resolve(row("resnet50"), {"stride_on": "1x1"}, implied)
    assert options.stride_on == "1x1"


def test_the_table_covers_every_network():
    assert list(NETWORKS) == EVERY
    assert all(options_of(network) for network in NETWORKS.values())
