"""A network called past Keras computes what it computes when it is called."""

import keras
import numpy as np
import pytest
from support import filled, images

import keras_resnet

TINY = keras_resnet.Architecture("bottleneck", (1, 1), 8, "cifar", "B")
POLICIES = ["float32", "mixed_bfloat16", "bfloat16"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_stateless_call_is_a_call_in_every_policy(policy, training):
    keras.config.set_dtype_policy(policy)
    model = filled(TINY, input_shape=(8, 8, 3))
    x = keras.ops.convert_to_tensor(images(2, 8, 8, 3))
    trainable, frozen = (
        [variable.value for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )
    stateless, after = model.stateless_call(trainable, frozen, x, training=training)
    called = model(x, training=training)
    assert stateless.dtype == called.dtype
    pairs = [(stateless, called), *zip(after, model.non_trainable_variables, strict=True)]
    for found, expected in pairs:
        found, expected = (
            keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
            for value in (found, expected)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
