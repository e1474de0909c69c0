"""Loops as users of each framework write them train a network as they train one of stock layers."""

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.layers import as_array, assert_close

STEPS = 3
CLASSES = np.arange(4) % 3


def pytorch(model, x):
    import torch

    x, y = torch.tensor(x), torch.tensor(CLASSES)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    model.train()
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(x, training=True).log(), y).backward()
        optimizer.step()
    model.eval()
    return model(x)


def tensorflow(model, x):
    import tensorflow as tf

    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(STEPS):
        train_step(tf.constant(x), tf.constant(CLASSES))
    return model(x, training=False)


def optax(model, x):
    import jax

    tools = pytest.importorskip("optax")
    weights, state = ([v.value for v in group] for group in variables_of(model))
    optimizer = tools.sgd(0.05, momentum=0.9)
    slots = optimizer.init(weights)

    @jax.jit
    def train_step(weights, state, slots):
        def loss(weights):
            y, moved = model.stateless_call(weights, state, x, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(CLASSES, y)
            return losses.mean(), moved

        gradients, moved = jax.grad(loss, has_aux=True)(weights)
        updates, slots = optimizer.update(gradients, slots)
        return tools.apply_updates(weights, updates), moved, slots

    for _ in range(STEPS):
        weights, state, slots = train_step(weights, state, slots)
    for group, values in zip(variables_of(model), (weights, state), strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    return model(x, training=False)


def variables_of(model):
    return model.trainable_variables, model.non_trainable_variables


# JAX compiles for seconds, and optax is no part of what tests need.
pytestmark = [pytest.mark.slow] if BACKEND == "jax" else []
LOOPS = {"torch": pytorch, "tensorflow": tensorflow, "jax": optax}


def test_a_loop_of_the_framework_trains_a_network_as_one_of_stock_layers():
    found = []
    for layers in ("fast", "keras"):
        model = filled("cifar_resnet8", input_shape=(8, 8, 3), classes=3, layers=layers)
        outputs = as_array(LOOPS[BACKEND](model, images(4, 8, 8, 3)))
        found.append([outputs, *model.get_weights()])
    for mine, theirs in zip(*found, strict=True):
        assert_close(mine, theirs, 1e-3)
