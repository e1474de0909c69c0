"""Gradients that are the same everywhere, and an optimizer applied to them."""

import keras
import numpy as np

from keras_resnet.layers import BatchNormalization, Conv2D
from support import BACKEND, random

STEPS = 10


def network():
    """A convolution, a normalization and a head: every kind of variable."""
    inputs = keras.Input((6, 6, 3))
    x = Conv2D(8, 3, name="conv")(inputs)
    x = BatchNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(4, name="fc")(x))
    for v in model.trainable_variables:
        v.assign(random(v.path).standard_normal(v.shape) * 0.3)
    return model


def gradients(variables, step):
    draws = [random(f"{v.path} {step}").standard_normal(v.shape) for v in variables]
    return [draw.astype("float32") for draw in draws]


def applied(optimizer, steps=STEPS):
    """The variables after some steps: as `fit` takes them, where the backend compiles."""
    variables = network().trainable_variables
    optimizer.build(variables)
    if BACKEND == "jax":
        import jax

        update = jax.jit(optimizer.stateless_apply)
        state = [v.value for v in optimizer.variables], [v.value for v in variables]
        for step in range(steps):
            values, slots = update(state[0], gradients(variables, step), state[1])
            state = slots, values
        return {v.path: np.asarray(x) for v, x in zip(variables, state[1], strict=True)}
    apply = optimizer.apply
    if BACKEND == "tensorflow":
        import tensorflow as tf

        apply = tf.function(lambda grads: optimizer.apply(grads))
    for step in range(steps):
        apply([keras.ops.convert_to_tensor(g) for g in gradients(variables, step)])
    return {v.path: keras.ops.convert_to_numpy(v) for v in variables}


def reference(update, clip=None, steps=STEPS):
    """The same in double precision. `update(w, g, state, step, is_kernel)` gives the new w."""
    variables = network().trainable_variables
    values = [keras.ops.convert_to_numpy(v).astype("float64") for v in variables]
    states: list[dict] = [{} for _ in variables]
    for step in range(steps):
        grads = [g.astype("float64") for g in gradients(variables, step)]
        if clip is not None:
            length = np.sqrt(sum(np.sum(g**2) for g in grads))
            grads = [g * min(1, clip / length) for g in grads]
        for index, (v, g) in enumerate(zip(variables, grads, strict=True)):
            kernel = v.path.endswith("kernel")
            values[index] = update(values[index], g, states[index], step, kernel)
    return {v.path: value for v, value in zip(variables, values, strict=True)}


def agree(found, expected, tolerance=3e-6):
    assert found.keys() == expected.keys()
    for path, value in found.items():
        np.testing.assert_allclose(value, expected[path], tolerance, tolerance, err_msg=path)


def caffe(momentum, decay, all_decay=False, nesterov=False):
    """SGDSolver::ComputeUpdateValue, with a rate that drops after four steps."""

    def update(w, g, state, step, kernel):
        rate = 0.1 if step < 4 else 0.01
        g = g + decay * w if kernel or all_decay else g
        state["v"] = momentum * state.get("v", 0) - rate * g
        return w + momentum * state["v"] - rate * g if nesterov else w + state["v"]

    return update


def dropping():
    return keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.1, 0.01])
