"""Whatever is done to a layer, before a first call or after it, does what it does to Keras'."""

import functools

import keras
import numpy as np
import pytest
from support import BACKEND, fill, images
from support.layers import as_array, assert_close

from keras_resnet.networks.assembly import KITS

ROLES = ("conv", "strided", "norm", "add", "relu", "pad", "pool", "average")
# Which only `build` reads, or which say something about the layer and nothing to its call.
SAID = {"name", "built", "kernel_size", "groups", "axis", "stateful", "supports_masking", "path"}


def network(kit):
    """Every kind of unit, and a padded pool, in the fewest layers."""
    kit = KITS[kit]
    image = keras.Input((8, 8, 3))
    x = kit.Conv2D(4, 3, padding="same", activation="linear", name="conv")(image)
    x = shortcut = kit.ReLU(name="first")(kit.BatchNormalization(name="norm")(x))
    x = keras.layers.ZeroPadding2D(1, name="pad")(x)
    x = kit.BatchNormalization(name="norm2")(kit.Conv2D(4, 3, name="strided")(x))
    x = kit.ReLU(name="relu")(keras.layers.Add(name="add")([shortcut, x]))
    x = keras.layers.ZeroPadding2D(1, name="pool_pad")(x)
    x = kit.MaxPooling2D(3, 2, name="pool")(x)
    return kit.Model(image, kit.AveragePooling2D(2, 1, name="average")(x))


def pair():
    ours, stock = network("fast"), network("keras")
    stock.set_weights(fill(ours).get_weights())
    return ours, stock


def public(layer) -> list[str]:
    found = {n for n in [*vars(layer), *dir(type(layer))] if not n.startswith("_")} - SAID
    return sorted(found)


def other(value):
    """Another value of the same kind; None where there is none to try."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if value else 0.3
    if isinstance(value, str):
        names = ["valid", "same", "channels_last", "channels_first", "max", "average"]
        return names[names.index(value) ^ 1] if value in names else None
    if isinstance(value, tuple) and value and isinstance(value[0], int):
        return tuple(n + 1 for n in value)
    return keras.activations.tanh if value is keras.activations.linear else None


CHANGES = [
    (role, name, value)
    for role in ROLES
    for layer in [network("fast").get_layer(role)]
    for name in public(layer)
    for current in [getattr(type(layer), name, None)]
    if not callable(current)
    for value in [0.5 if name == "max_value" else other(getattr(layer, name, None))]
    if value is not None
]
CHANGES += [(role, "activity_regularizer", keras.regularizers.L2(0.1)) for role in ROLES]
CHANGES += [(role, "dtype_policy", keras.DTypePolicy("mixed_bfloat16")) for role in ROLES]
CHANGES += [(role, "input_spec", keras.InputSpec(ndim=3)) for role in ROLES]
METHODS = [(role, "call") for role in ROLES] + [("conv", "convolution_op")]


def found(model, x, training):
    """Outputs, weights after the call, and losses; or the kind of error it ends in."""
    try:
        y = model(x, training=training)
    except Exception as error:
        return type(error)
    return [as_array(y), *(as_array(v.value) for v in model.weights), *map(as_array, model.losses)]


def assert_alike(ours, stock, label=""):
    x = keras.ops.convert_to_tensor(images(2, 8, 8, 3))
    for training in (False, True):
        mine, theirs = found(ours, x, training), found(stock, x, training)
        if isinstance(mine, type) or isinstance(theirs, type):
            assert isinstance(mine, type) is isinstance(theirs, type), (label, mine, theirs)
            continue
        for a, b in zip(mine, theirs, strict=True):
            assert a.shape == b.shape
            assert_close(a, b, 2e-2 if "bfloat16" in label else 1e-4, label)


@pytest.mark.parametrize("called", [False, True] if BACKEND == "torch" else [True])
@pytest.mark.parametrize("role", ROLES)
def test_an_attribute_that_is_set_acts_as_on_stock_layers(role, called):
    for role_, name, value in CHANGES:
        if role_ != role:
            continue
        models = pair()
        if called:
            assert_alike(*models)
        for model in models:
            setattr(model.get_layer(role), name, value)
        assert_alike(*models, f"{role}.{name} = {value}")


@pytest.mark.parametrize("where", ["layer", "class"])
@pytest.mark.parametrize(("role", "name"), METHODS)
def test_a_method_that_is_replaced_is_called(role, name, where, monkeypatch):
    ours, _ = pair()
    x = keras.ops.convert_to_tensor(images(2, 8, 8, 3))
    ours(x)
    layer = ours.get_layer(role)
    target = layer if where == "layer" else type(layer)
    method, seen = getattr(target, name), []

    @functools.wraps(method)
    def replaced(*args, **kwargs):
        seen.append(name)
        return 2 * method(*args, **kwargs)

    before = as_array(ours(x))
    monkeypatch.setattr(target, name, replaced)
    assert np.abs(as_array(ours(x)) - before).max() > 1e-3
    assert seen
    monkeypatch.undo()
    np.testing.assert_array_equal(as_array(ours(x)), before)


if BACKEND == "torch":

    def test_a_plan_is_kept_while_nothing_changes():
        from keras_resnet.layers.fusion import plan_of

        model, _ = pair()
        plan = plan_of(model)
        model(keras.ops.convert_to_tensor(images(2, 8, 8, 3)), training=True)
        assert plan_of(model) is plan
        model.get_layer("relu").negative_slope = 0.3
        assert plan_of(model) is not plan
