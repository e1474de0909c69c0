"""Networks of fast layers do what those of stock layers do, and their weights and files are one."""

import itertools
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.layers import as_array, assert_close, run

import keras_resnet

# Every kind of block, stem and shortcut, in the fewest layers.
ROWS = {
    "bottleneck": keras_resnet.Architecture("bottleneck", (2, 1, 1), 8, "imagenet", "B"),
    "basic": keras_resnet.Architecture("basic", (1, 2), 8, "cifar", "A"),
    "plain": keras_resnet.Architecture("basic", (1, 1), 8, "imagenet", None),
}
# The other cases are run by `make test-all`.
QUICK = [
    *(("bottleneck", "float32", True), ("basic", "float32", True)),
    *(("plain", "mixed_bfloat16", True), ("basic", "mixed_bfloat16", False)),
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("training", [False, True])
def test_a_network_of_fast_layers_is_that_of_stock_layers(row, training):
    options = {"weights": None, "input_shape": (64, 64, 3), "classes": 5}
    ours = filled(ROWS[row], **options)
    stock = keras_resnet.build(ROWS[row], **options, layers="keras")
    assert [v.path for v in ours.weights] == [v.path for v in stock.weights]
    assert [layer.name for layer in ours.layers] == [layer.name for layer in stock.layers]
    stock.set_weights(ours.get_weights())
    x = keras.ops.convert_to_tensor(images(8, 64, 64, 3))
    assert_close(as_array(ours(x, training=training)), as_array(stock(x, training=training)), 1e-3)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_close(mine, theirs, 1e-3)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="no such convolutions on a CPU")
@pytest.mark.parametrize(
    ("row", "policy", "training"),
    [
        pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
        for case in itertools.product(ROWS, ("float32", "mixed_bfloat16"), (False, True))
    ],
)
def test_channels_first_is_channels_last(row, policy, training):
    keras.config.set_dtype_policy(policy)
    x, probe, found = images(4, 3, 64, 64), images(4, 5, label="probe"), []
    for data_format in ("channels_first", "channels_last"):
        keras.config.set_image_data_format(data_format)
        batch = x if data_format == "channels_first" else x.transpose(0, 2, 3, 1).copy()
        options = {"input_shape": batch.shape[1:], "classes": 5, "classifier_activation": None}
        model = filled(ROWS[row], **options)
        outputs, (_, *gradients) = run(model, batch, probe, training=training)
        # In half precision Keras' own gradients are far from those of float32, by tens of percent.
        gradients = gradients if policy == "float32" else []
        found.append([outputs, *gradients, *model.get_weights()])
    tolerance = 1e-3 if policy == "float32" else 5e-2
    for first, last in zip(*found, strict=True):
        assert_close(first, last, tolerance)


def test_fit_moves_the_weights_as_with_stock_layers():
    options = {"weights": None, "input_shape": (32, 32, 3), "classes": 5}
    ours = filled("cifar_resnet8", **options)
    stock = keras_resnet.build("cifar_resnet8", **options, layers="keras")
    stock.set_weights(ours.get_weights())
    x, y = images(16, 32, 32, 3), np.arange(16) % 5
    for model in (ours, stock):
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_close(mine, theirs, 1e-3)
    assert_close(ours.predict(x, verbose=0), stock.predict(x, verbose=0), 1e-3)


@pytest.mark.portable
def test_an_unknown_kind_of_layers_is_refused():
    with pytest.raises(ValueError, match=r"`layers` must be one of 'fast', 'keras'"):
        keras_resnet.build("cifar_resnet8", layers="slow")


@pytest.mark.portable
def test_a_model_of_stock_layers_is_loaded_without_this_package(tmp_path):
    model = filled("cifar_resnet8", layers="keras")
    assert type(model) is type(keras.Model(model.input, model.output))
    x = images(2, 32, 32, 3)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "pair.npz", x=x, y=model.predict(x, verbose=0))
    script = """
        import sys
        sys.modules["keras_resnet"] = None  # an import of it fails
        import keras, numpy as np
        pair = np.load("pair.npz")
        y = keras.saving.load_model("model.keras").predict(pair["x"], verbose=0)
        np.testing.assert_allclose(y, pair["y"], atol=1e-5)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, check=True)


@pytest.mark.portable
@pytest.mark.parametrize("kit", ["fast", "keras"])
def test_weights_files_move_between_the_kinds_of_layers(tmp_path, kit):
    source = filled("cifar_resnet8", layers=kit)
    source.save_weights(tmp_path / "a.weights.h5")
    target = keras_resnet.build("cifar_resnet8", layers={"fast": "keras", "keras": "fast"}[kit])
    target.load_weights(tmp_path / "a.weights.h5")
    for mine, theirs in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_maps_in_the_middle_are_right_beside_what_follows_them():
    """A map that is asked for must not be overwritten by the layer behind it."""
    model = filled("cifar_resnet8")
    names = ["conv1_bn", "conv1_relu", "conv2_1_a_bn", "conv2_1_b_bn", "conv2_1_add", "conv2_1"]
    outputs = [model.get_layer(name).output for name in names]
    x = keras.ops.convert_to_tensor(images(2, 32, 32, 3))
    fused = keras_resnet.Network(model.input, outputs)(x)
    plain = keras.Model(model.input, outputs)(x)
    for mine, theirs in zip(fused, plain, strict=True):
        assert_close(as_array(mine), as_array(theirs), 1e-5)
    assert as_array(fused[0]).min() < 0 == as_array(fused[1]).min()
