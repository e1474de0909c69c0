"""Other number formats and the other layout of images."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images, logits, narrow, row, without_values
from support.facts import facts

import keras_resnet

KINDS = [
    ("resnet18", {}),
    ("resnet50", {"stride_on": "3x3", "shortcut": "A"}),
    ("resnet18", {"pool1": "caffe", "output_stride": 16, "include_preprocessing": True}),
    ("cifar_resnet20", {"zero_channels": "center"}),
    ("cifar_plain20", {}),
]


def small(name, **options):
    side = row(name).stride
    shape = (side, side, 3)
    if keras.config.image_data_format() == "channels_first":
        shape = (3, side, side)
    return filled(narrow(name), input_shape=shape, classes=5, classifier_activation=None, **options)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_channels_first_has_the_same_logits(name, options):
    side = row(name).stride
    x = images(2, side, side, 3)
    expected = logits(small(name, **options), x)
    keras.config.set_image_data_format("channels_first")
    model = small(name, **options)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        # TensorFlow's own processor kernels know channels_last alone; XLA's know both.
        outputs = tf.function(model, jit_compile=True)(np.moveaxis(x, -1, 1)).numpy()
    else:
        outputs = logits(model, np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5 * abs(expected).max())


@pytest.mark.portable
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20", "cifar_plain20"])
def test_channels_first_has_the_same_counts(name):
    last = facts(name).costs
    keras.config.set_image_data_format("channels_first")
    with without_values():
        model = keras_resnet.build(name)
    assert model.input.shape == (None, 3, row(name).size, row(name).size)
    assert keras_resnet.count(model) == last


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(("name", "options"), KINDS[1:4])
def test_mixed_precision_computes_in_half_and_answers_in_float32(policy, name, options):
    side = row(name).stride
    x = images(2, side, side, 3)
    expected = logits(small(name, **options), x)
    keras.config.set_dtype_policy(policy)
    model = small(name, **options)
    outputs = logits(model, x)
    half = policy.removeprefix("mixed_")
    assert outputs.dtype == "float32"
    assert model.get_layer("conv3_1").output.dtype == half
    assert {keras.backend.standardize_dtype(v.dtype) for v in model.trainable_weights} == {
        "float32"
    }
    # Eight or eleven bits of mantissa, through some tens of layers.
    worst = 0.1 if half == "bfloat16" else 0.02
    assert abs(outputs - expected).max() < worst * abs(expected).max()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_step_is_trained_in_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    model = filled("cifar_resnet8", input_shape=(8, 8, 3), classes=4)
    model.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy")
    x, y = images(4, 8, 8, 3), np.eye(4, dtype="float32")
    losses = [float(model.train_on_batch(x, y)) for _ in range(8)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_a_mixed_model_is_saved_and_loaded(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = small("cifar_resnet20")
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("conv3_1").compute_dtype == "bfloat16"
    x = images(2, 32, 32, 3)[:, :4, :4]
    np.testing.assert_array_equal(logits(loaded, x), logits(model, x))


def test_float64_is_float64_throughout():
    # JAX decides on 64 bits when it starts: a process of its own.
    program = """
        import keras, numpy as np, support, keras_resnet
        x = support.images(2, 32, 32, 3)
        build = lambda: support.filled(support.narrow("resnet18"), input_shape=(32, 32, 3))
        single = support.logits(build(), x)
        keras.config.set_dtype_policy("float64")
        model = build()
        double = support.logits(model, x.astype("float64"))
        assert double.dtype == "float64", double.dtype
        assert {keras.backend.standardize_dtype(v.dtype) for v in model.weights} == {"float64"}
        np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-7)
        assert abs(single - double).max() > 0
    """
    environment = os.environ | {
        "JAX_ENABLE_X64": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
    }
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment, check=True)
