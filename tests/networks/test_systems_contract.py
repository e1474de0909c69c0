"""The systems in the paper's tables keep the ResNets' contract."""

import keras
import numpy as np
import pytest
from support import BACKEND, fill, filled, images, logits
from support.baselines import KINDS, built
from support.golden_cases import TINY

import keras_resnet
from keras_resnet.evaluation import fully_convolutional

pytestmark = pytest.mark.portable


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_and_a_clone_are_the_same(kind, tmp_path):
    model = built(kind)
    x = images(2, 32, 32, 3)
    expected = logits(model, x)
    np.testing.assert_allclose(expected.sum(-1), 1, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, x), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(logits(clone, x), expected)
    assert keras_resnet.count(loaded) == keras_resnet.count(clone) == keras_resnet.count(model)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_any_size_will_do(kind):
    sized = filled(TINY[kind], classes=4, input_shape=(75, 45, 3))
    free = filled(TINY[kind], classes=4, input_shape=(None, None, 3))
    x = images(1, 75, 45, 3)
    np.testing.assert_array_equal(logits(sized, x), logits(free, x))


@pytest.mark.parametrize("kind", ["prelu_net"])
def test_compiled_predictions_take_any_size(kind):
    model = filled(TINY[kind], classes=4, input_shape=(None, None, 3))
    for size in ((32, 32), (33, 48)):
        x = images(2, *size, 3)
        np.testing.assert_allclose(model.predict(x, verbose=0), logits(model, x), rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_first_is_the_same_network(kind):
    x = images(1, 32, 32, 3)
    last = built(kind)
    keras.config.set_image_data_format("channels_first")
    model = filled(TINY[kind], classes=4, input_shape=(3, 32, 32))
    assert model.count_params() == last.count_params()
    if BACKEND == "torch":  # TensorFlow and JAX on a CPU do not pool channels first
        first = logits(model, x.transpose(0, 3, 1, 2))
        np.testing.assert_allclose(first, logits(last, x), rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_gives_float32_probabilities(kind):
    x = images(2, 32, 32, 3)
    expected = logits(built(kind), x)
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = built(kind)
    outputs = logits(model, x)
    assert outputs.dtype == "float32"
    assert {variable.dtype for variable in model.weights} == {"float32"}
    np.testing.assert_allclose(outputs, expected, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_without_top_the_last_map_is_returned_or_pooled(kind):
    x = images(2, 32, 32, 3)
    maps = logits(built(kind, include_top=False), x)
    assert maps.shape[1] == maps.shape[2]
    pooled = logits(built(kind, include_top=False, pooling="avg"), x)
    np.testing.assert_allclose(pooled, maps.mean((1, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["bn_inception", "preact", "v2", "d", "vgg"])
def test_stock_layers_compute_the_same(kind):
    x = images(4, 64, 64, 3)
    fast, stock = (built(kind, 64, layers=layers) for layers in ("fast", "keras"))
    # Dropout draws while training, and maps of a single pixel have no statistics to speak of.
    ends = {"fc": fast.output} if kind == "vgg" else keras_resnet.endpoints(fast)
    end = next(name for name in ("conv3_x", "inception_4a", "fc") if name in ends)
    for training in (False, True) if kind != "vgg" else (False,):
        found, expected = (logits(part(model, end), x, training) for model in (fast, stock))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * abs(expected).max())
    modules = {type(layer).__module__.split(".")[0] for layer in stock.layers}
    assert modules == {"keras"}


def part(model, end):
    return type(model)(model.input, {**keras_resnet.endpoints(model), "fc": model.output}[end])


@pytest.mark.parametrize("kind", KINDS)
def test_preprocessing_can_be_inside(kind):
    x = images(2, 32, 32, 3) * 60 + 120
    inside = built(kind, include_preprocessing=True)
    plain = built(kind)
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    np.testing.assert_allclose(
        logits(inside, x), logits(plain, ((x - mean) / std).astype("float32")), atol=1e-4
    )


@pytest.mark.parametrize("kind", ["vgg", "prelu_net"])
def test_dense_evaluation_gives_every_window_the_scores_of_a_crop(kind):
    """VGG's fully connected layers become convolutions; PReLU-net's pyramid slides."""
    stride = TINY[kind].stride
    model = built(kind, 3 * stride)
    x = images(1, 5 * stride, 4 * stride, 3)
    scores = logits(fully_convolutional(model), x)
    assert scores.shape == (1, 3, 2, 4)
    base = keras_resnet.build(TINY[kind], include_top=False, input_shape=x.shape[1:])
    maps = logits(fill(base), x)
    first = {"vgg": "flatten", "prelu_net": "spp"}[kind]
    head = keras.Model(model.get_layer(first).input, model.output)
    for top in range(3):
        for left in range(2):
            alone = logits(head, maps[:, top : top + 3, left : left + 3])
            np.testing.assert_allclose(scores[:, top, left], alone, rtol=1e-4)
