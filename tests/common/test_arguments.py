"""Public functions refuse what their annotations exclude, by name and before any work."""

import collections.abc
import inspect
import math
import re
import typing

import keras
import numpy as np
import pytest

import keras_resnet
from keras_resnet import (
    data,
    evaluation,
    exporting,
    figures,
    layers,
    named,
    report,
    training,
    weights,
)
from keras_resnet.common.arguments import VARIABLE, checked, fault_of, hints_of

pytestmark = pytest.mark.once
NOTHING = object()
WRONG = {
    int: ["1", 1.5, math.nan, None, [1], NOTHING, True],
    float: ["1", math.nan, math.inf, None, [1.0], NOTHING, True],
    str: [1, None, ["a"], NOTHING],
    bool: ["yes", 1.0, NOTHING],
    keras.Model: ["resnet50", 1, None, NOTHING],
    collections.abc.Sequence: [1, NOTHING],
    collections.abc.Callable: ["f", 1, NOTHING],
}
ODD = [b"x", -1, 10**12, {}, (-1, 8, 3), (8, 8), np.zeros((2, 2))]
VALUES = [*(value for kind in WRONG for value in WRONG[kind]), *ODD]


# Builders and what needs no model check by the tables of networks, others by what a model holds.
BY_TABLES = {
    "build": {"network": "cifar_resnet8", "weights": None},
    "Architecture": {
        "block": "basic",
        "blocks": (1,),
        "width": 4,
        "stem": "cifar",
        "shortcut": "A",
    },
    "count": {},
    "endpoints": {},
    "list_models": {},
    "list_weights": {},
    "summary_table": {},
}
# What the package makes, protocols, and layers whose constructors are Keras' own.
NOT_CALLED = {"Costs", "Images", "Distribution", "Network", "active"}
NOT_CALLED |= {"AveragePooling2D", "BatchNormalization", "Conv2D", "MaxPooling2D", "ReLU"}


def public():
    """What can be called, by name: all that `import keras_resnet` and its packages offer."""
    packages = (training, data, evaluation, exporting, figures, weights, report, layers)
    names = [(module, name) for module in (keras_resnet, *packages) for name in module.__all__]
    things = {name: getattr(module, name) for module, name in names}
    return {
        name: thing
        for name, thing in things.items()
        if callable(thing) and name not in NOT_CALLED
        if not (inspect.isclass(thing) and issubclass(thing, BaseException))
    }


def checks(thing):
    """What holds the bounds of a function or class."""
    return thing.__init__ if inspect.isclass(thing) else thing


def calls():
    for thing in public().values():
        function = checks(thing)
        if not hasattr(function, "bounds"):
            continue
        for name, hint in hints_of(function).items():
            parameter = inspect.signature(function).parameters.get(name)
            if parameter is None or parameter.kind in VARIABLE:
                continue
            tried = {id(v): v for v in VALUES if fault_of(v, hint)}
            if name in function.bounds:
                tried |= {-1: function.bounds[name][0] - 1}
            yield from ((thing, name, value) for value in tried.values())


CALLS = list(calls())


def test_whatever_is_public_checks_its_arguments():
    without = {n for n, thing in public().items() if not hasattr(checks(thing), "bounds")}
    assert without == BY_TABLES.keys() | set(named.__all__)


def by_tables():
    """Wrong calls of what has no annotations that say it all."""
    flat = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    for name, good in BY_TABLES.items():
        function = getattr(keras_resnet, name)
        good = {"model": flat} if name == "count" else good
        for argument, parameter in inspect.signature(function).parameters.items():
            # 0 and 1 are flags, too.
            for value in (
                v for v in VALUES if parameter.annotation is not bool or type(v) is not int
            ):
                if parameter.kind not in VARIABLE and fault_of(value, parameter.annotation):
                    yield function, good | {argument: value}, value
    for name in ("ResNet20", "VGG16", "GoogLeNet"):
        for option in ("classes", "input_shape", "pooling", "include_top", "name"):
            for value in (NOTHING, b"x", math.nan, -1, 10**12, (-1, 8, 3), {}, [1]):
                yield getattr(keras_resnet, name), {"weights": None, option: value}, value


def test_builders_and_tables_refuse_what_is_none_of_theirs_by_name():
    tried = 0
    for function, arguments, value in by_tables():
        network = [arguments.pop("network")] if "network" in arguments else []
        with pytest.raises((TypeError, ValueError)) as raised:
            function(*network, **arguments)
        message = str(raised.value)
        assert repr(value) in message or type(value).__name__ in message, (function, arguments)
        tried += 1
    assert tried >= 300


def test_three_hundred_wrong_calls_are_refused_by_name():
    assert len(CALLS) >= 300
    for thing, name, value in CALLS:
        with pytest.raises((TypeError, ValueError)) as raised:
            thing(**{name: value})
        message = str(raised.value)
        wanted = rf"`{name}` must be .*\. Received: {name}="
        assert re.match(wanted, message), (thing, name, value, message)


@pytest.mark.parametrize("kind", WRONG)
def test_each_kind_refuses_what_is_of_no_such_kind(kind):
    assert all(fault_of(value, kind) for value in WRONG[kind])


def test_numbers_of_numpy_are_numbers():
    @checked(count=(1, math.inf))
    def take(count: int, rate: float, names: typing.Sequence[str] = ()):
        return count, rate, names

    assert take(np.int64(3), np.float32(0.5), ["a"]) == (3, 0.5, ["a"])
    assert take(3, 1)[1] == 1
    for arguments, message in {
        (0, 1.0): "`count` must be a positive integer. Received: count=0",
        (1, np.nan): "`rate` must be a finite number",
        (1, 1.0, (1,)): "`names` must be a sequence of what is a str",
    }.items():
        with pytest.raises((TypeError, ValueError), match=message):
            take(*arguments)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        take(1, 1.0, other=2)


def test_fields_of_a_data_class_and_members_of_a_tuple_are_checked():
    assert weights.ImageRule(size=None, std=(1, 1, 1)).resize is None
    for name, value, wanted in [
        ("std", (0, 0, 0), "at least 1e-06"),
        ("std", (1.0, 1.0), "a tuple of 3 members"),
        ("mean", (0.0, 0.0, math.nan), "a tuple of what is a finite number"),
        ("size", -1, "a positive integer"),
        ("interpolation", "cubic", "one of 'bilinear', 'bicubic'"),
    ]:
        with pytest.raises(ValueError, match=f"`{name}` must be {wanted}. Received: {name}="):
            weights.ImageRule(**{name: value})


def test_a_signature_is_still_what_an_editor_shows():
    assert "epochs" in inspect.signature(keras_resnet.training.fit).parameters
