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
from keras_resnet import data, evaluation, exporting, figures, training, weights
from keras_resnet.common.arguments import VARIABLE, checked, fault_of, hints_of
from keras_resnet.images import classification, preprocessing

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


def public():
    modules = (training, data, evaluation, exporting, figures, weights)
    for module in (*modules, classification, preprocessing):
        for name in getattr(module, "__all__", None) or ("classify", "preprocess_input"):
            thing = getattr(module, name, None)
            function = getattr(thing, "__init__", None) if inspect.isclass(thing) else thing
            if hasattr(function, "bounds"):
                yield thing, function


def calls():
    for thing, function in public():
        for name, hint in hints_of(function).items():
            parameter = inspect.signature(function).parameters.get(name)
            if parameter is None or parameter.kind in VARIABLE:
                continue
            values = [v for kind in WRONG for v in WRONG[kind]]
            tried = {id(v): v for v in values if fault_of(v, hint)}
            if name in function.bounds:
                tried |= {-1: function.bounds[name][0] - 1}
            yield from ((thing, name, value) for value in tried.values())


CALLS = list(calls())


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
        ("size", -1, "at least 1"),
        ("interpolation", "cubic", "one of 'bilinear', 'bicubic'"),
    ]:
        with pytest.raises(ValueError, match=f"`{name}` must be {wanted}. Received: {name}="):
            weights.ImageRule(**{name: value})


def test_a_signature_is_still_what_an_editor_shows():
    assert "epochs" in inspect.signature(keras_resnet.training.fit).parameters
