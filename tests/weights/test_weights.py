"""Files of weights: every kind and dialect, loaded completely or not at all, and written."""

import h5py
import keras
import numpy as np
import pytest
from support import fill
from support.weights import TINY, assert_same_values, source, target, tiny, values

import keras_resnet
from keras_resnet import Architecture, load_weights, save_weights
from keras_resnet.weights import DIALECTS, WeightsFileError
from keras_resnet.weights.layout import Layout
from keras_resnet.weights.readers import open_arrays

BASIC = Architecture("basic", (1, 2), 4, "cifar", "B")


@pytest.mark.parametrize("row", [TINY, BASIC], ids=["bottleneck", "basic"])
@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"keras_hub_ordinal"}))
def test_weights_written_in_a_dialect_are_recognized_and_come_back(row, dialect, tmp_path):
    model, other = source(row), target(row)
    path = tmp_path / "weights.npz"
    save_weights(model, path, dialect)
    assert load_weights(other, path) == ()
    # An epsilon of 1.001e-5 is taken off the variance and put back: one rounding of float32.
    assert_same_values(model, other, 2e-7 if dialect == "keras" else 0.0)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pth", ".pt"])
def test_every_kind_of_file_gives_the_same_weights(suffix, tmp_path):
    if suffix.startswith(".p"):
        pytest.importorskip("torch", reason="torch's files need torch")
    model, other = source(), target()
    path = tmp_path / f"weights{suffix}"
    save_weights(model, path)
    load_weights(other, path)
    assert_same_values(model, other)


@pytest.mark.parametrize("dialect", ["keras_resnet", "keras", "caffe"])
def test_a_file_of_keras_2_gives_the_same_weights(dialect, tmp_path):
    model, other = source(), target()
    save_weights(model, tmp_path / "weights.h5", dialect)
    load_weights(other, tmp_path / "weights.h5")
    assert_same_values(model, other, 2e-7 if dialect == "keras" else 0.0)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_the_weights_of_a_whole_saved_model_are_read(tmp_path):
    """Keras 2's file of a model, with the state of its optimizer."""
    model, other = fill(tiny()), target()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        assert len(file["optimizer_weights"])
    load_weights(other, tmp_path / "model.h5")
    assert_same_values(model, other)


def test_keras_own_files_are_read(tmp_path):
    model, other = source(), target()
    model.save_weights(tmp_path / "own.weights.h5")
    load_weights(other, tmp_path / "own.weights.h5")
    assert_same_values(model, other)
    with h5py.File(tmp_path / "own.weights.h5", "a") as file:
        file.visititems(lambda name, item: item.attrs.pop("name", None) and None)
    other = target()
    load_weights(other, tmp_path / "own.weights.h5")  # by class and number
    assert_same_values(model, other)


def legacy_torch_file(state, path):
    """torch.save's format of before 1.6, and a checkpoint around a DataParallel model."""
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    state = {f"module.{name}": torch.from_numpy(value) for name, value in state.items()}
    checkpoint = {"state_dict": state, "best_prec1": 91.7}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)


def test_a_checkpoint_in_the_older_pickle_is_read(tmp_path):
    model, other = source(), target()
    save_weights(model, tmp_path / "weights.npz", "akamaster")
    with np.load(tmp_path / "weights.npz") as state:
        legacy_torch_file({name: state[name] for name in state.files}, tmp_path / "old.th")
    load_weights(other, tmp_path / "old.th")
    assert_same_values(model, other)


def arrays_of(model, dialect="torchvision"):
    from keras_resnet.weights.save import arrays_of

    return arrays_of(model, DIALECTS[dialect])


def test_missing_left_over_and_misshapen_arrays_are_all_listed_and_nothing_is_loaded():
    model = source()
    before = values(model)
    arrays = arrays_of(source())
    del arrays["conv1.weight"], arrays["layer1.0.bn2.running_var"]
    arrays["layer9.weight"] = np.zeros(3, "float32")
    arrays["fc.weight"] = np.zeros((7, 64), "float32")
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        load_weights(model, arrays)
    message = str(caught.value)
    assert "missing (2): conv1.weight (4, 3, 7, 7) for conv1" in message
    assert "layer1.0.bn2.running_var (4,) for conv2_1_b_bn" in message
    assert "left over (1): layer9.weight (3,)" in message
    assert "misshapen (1): fc.weight is (7, 64), fc takes (5, 64)" in message
    after = values(model)
    assert all(np.array_equal(before[path], after[path]) for path in before)


def test_a_head_with_other_classes_is_skipped_by_name():
    other, model = fill(tiny(classes=7)), target()
    head = keras.ops.convert_to_numpy(model.get_layer("fc").kernel)
    arrays = arrays_of(other)
    with pytest.raises(ValueError, match="misshapen \\(2\\)"):
        load_weights(model, arrays)
    assert load_weights(model, arrays, skip_mismatch="fc") == ("fc",)
    np.testing.assert_array_equal(head, keras.ops.convert_to_numpy(model.get_layer("fc").kernel))
    np.testing.assert_array_equal(*(m.get_layer("conv1").get_weights()[0] for m in (other, model)))
    assert load_weights(model, arrays, skip_mismatch=True) == ("fc",)
    arrays["layer1.0.conv1.weight"] = arrays["layer1.0.conv1.weight"][:2]
    with pytest.raises(ValueError, match=r"layer1.0.conv1.weight is"):
        load_weights(model, arrays, skip_mismatch=["fc"])


def test_a_model_without_head_takes_a_file_with_one(tmp_path):
    """Through the builder, and by `skip_mismatch`, whatever the dialect calls the classifier."""
    model, path = source(), tmp_path / "weights.npz"
    save_weights(model, path, "torchvision")
    headless = keras_resnet.build(TINY, False, path)
    for dialect in ("torchvision", "akamaster", "keras", "caffe", "transformers"):
        save_weights(model, path, dialect)
        headless.get_layer("conv4_2_c").kernel.assign(np.zeros((1, 1, 16, 64), "float32"))
        assert load_weights(headless, path, skip_mismatch="fc") == ("fc",)
        kernel = headless.get_layer("conv4_2_c").get_weights()[0]
        np.testing.assert_array_equal(kernel, model.get_layer("conv4_2_c").get_weights()[0])
    with pytest.raises(ValueError, match=r"left over \(2\): classifier"):
        load_weights(headless, path)


def test_layers_are_found_inside_a_model_built_around_the_network():
    network = tiny(include_top=False)
    image = keras.Input((64, 64, 3))
    head = keras.layers.Dense(2, name="cats_or_dogs")
    model = keras.Model(image, head(keras.layers.GlobalAveragePooling2D()(network(image))))
    arrays = arrays_of(source())
    assert load_weights(model, arrays, skip_mismatch=["fc", "cats_or_dogs"])
    kernel = network.get_layer("conv2_1_a").get_weights()[0]
    np.testing.assert_array_equal(kernel, source().get_layer("conv2_1_a").get_weights()[0])
    with pytest.raises(ValueError, match="has no name for cats_or_dogs"):
        arrays_of(model)


def normalized(x, gamma, beta, mean, variance, epsilon):
    """Batch normalization at inference, in float64."""
    x, gamma, beta, mean, variance = (
        np.asarray(value, "float64") for value in (x, gamma, beta, mean, variance)
    )
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def test_biases_epsilon_and_bgr_are_folded_exactly():
    """For keras.applications; the smallest variances show an epsilon of 1e-5 for 1.001e-5."""
    model = target()
    arrays = arrays_of(model, "keras")
    rng = np.random.default_rng(3)
    theirs = {name: rng.uniform(0.1, 1.0, a.shape).astype("float32") for name, a in arrays.items()}
    theirs["conv1_bn/moving_variance"] = np.array([0, 1e-7, 1e-5, 0.5], "float32")
    load_weights(model, theirs)
    x = rng.uniform(-1, 1, 4)
    layer = model.get_layer("conv1_bn")
    ours = normalized(x, *layer.get_weights(), layer.epsilon)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    bn = [theirs[f"conv1_bn/{name}"] for name in names]
    expected = normalized(x + theirs["conv1_conv/bias"], *bn, 1.001e-5)
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
    kernel = model.get_layer("conv1").get_weights()[0]
    np.testing.assert_array_equal(kernel, theirs["conv1_conv/kernel"][:, :, ::-1])
    written = arrays_of(model, "keras")
    back = [written[f"conv1_bn/{name}"] for name in names]
    back = normalized(x + written["conv1_conv/bias"], *back, 1.001e-5)
    np.testing.assert_allclose(back, expected, rtol=1e-6)


def test_the_bias_that_caffe_gives_conv1_of_50_layers_is_subtracted_from_the_mean():
    model = target()
    arrays = arrays_of(source(), "caffe")
    bias = np.array([0.5, -1, 2, 0], "float32")
    load_weights(model, {**arrays, "conv1/bias": bias})
    mean = model.get_layer("conv1_bn").get_weights()[2]
    np.testing.assert_allclose(mean, arrays["bn_conv1/moving_mean"] - bias, rtol=1e-6)
    with pytest.raises(ValueError, match=r"misshapen \(1\): conv1/bias is \(2,\)"):
        load_weights(model, {**arrays, "conv1/bias": bias[:2]})


@pytest.mark.once
def test_the_blocks_of_caffe_are_lettered_in_50_layers_and_numbered_in_101_and_152():
    fifty = Layout("imagenet", (3, 4, 6, 3), True)
    deeper = Layout("imagenet", (3, 4, 23, 3), True)
    caffe = DIALECTS["caffe"].layer
    assert caffe("conv4_6_a", fifty) == "res4f_branch2a"
    assert caffe("conv4_23_c_bn", deeper) == "bn4b22_branch2c"
    assert caffe("conv3_1_shortcut", deeper) == "res3a_branch1"
    assert caffe("conv5_3_b_bn", deeper) == "bn5c_branch2b"


@pytest.mark.once
@pytest.mark.parametrize("what", ["NaN", "infinity", "a negative variance"])
def test_numbers_no_network_works_with_are_refused(what):
    arrays = arrays_of(source())
    name = "layer1.0.bn1.running_var"
    arrays[name][1] = {"NaN": np.nan, "infinity": np.inf, "a negative variance": -1.0}[what]
    with pytest.raises(ValueError, match=f"numbers no network works with.*{name}"):
        load_weights(target(), arrays)


@pytest.mark.once
def test_a_path_that_is_no_file_and_names_that_are_not_known_say_so(tmp_path):
    model = target()
    with pytest.raises(FileNotFoundError, match=r"nothing.npz"):
        load_weights(model, tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match="`source` must be the path of a file or a record"):
        load_weights(model, "best")
    with pytest.raises(ValueError, match="`dialect` must be one of"):
        load_weights(model, {}, dialect="caffe2")
    with pytest.raises(TypeError, match="`skip_mismatch` must be a bool or a str or an iterable"):
        load_weights(model, {}, skip_mismatch=3)
    save_weights(source(), tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"`other_graph` must be options .*Received: {'nosuch'}"):
        load_weights(model, tmp_path / "net.npz", other_graph="nosuch")
    with pytest.raises(ValueError, match=r"layers of the model or the file\. Received: 'nosuch'"):
        load_weights(source(), arrays_of(source()), skip_mismatch=["fc", "nosuch"])
    with pytest.raises(ValueError, match=r"of no dialect known.*hello"):
        load_weights(model, {"hello": np.zeros(3)})
    with pytest.raises(WeightsFileError, match="folder"):
        load_weights(model, tmp_path)


@pytest.mark.once
def test_a_file_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    from keras_resnet.weights import save

    path = tmp_path / "weights.npz"
    path.write_bytes(b"what was there before")

    def full_disk(path, arrays, graph):
        path.write_bytes(b"half of i")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(save.WRITERS, ".npz", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_weights(source(), path)
    assert path.read_bytes() == b"what was there before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.npz"]


@pytest.mark.once
def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`path` must end in"):
        save_weights(source(), tmp_path / "weights.txt")
    with pytest.raises(ValueError, match=r"\.h5 is written for the dialects"):
        save_weights(source(), tmp_path / "weights.h5", "torchvision")
    with pytest.raises(ValueError, match="`dialect` must be one of"):
        save_weights(source(), tmp_path / "weights.npz", "darknet")


def test_half_precision_files_are_read_as_float32(tmp_path):
    model = target()
    arrays = {name: array.astype("float16") for name, array in arrays_of(source()).items()}
    np.savez(tmp_path / "half.npz", **arrays)
    load_weights(model, tmp_path / "half.npz")
    kernel = model.get_layer("conv1").get_weights()[0]
    assert kernel.dtype == "float32"
    np.testing.assert_array_equal(kernel.transpose(3, 2, 0, 1), arrays["conv1.weight"])


def test_channels_first_networks_take_the_same_files(channels_first, tmp_path):
    other = tiny()
    assert other.input_shape[1] == 3
    save_weights(source(), tmp_path / "weights.npz")
    load_weights(other, tmp_path / "weights.npz")
    assert_same_values(source(), other)


@pytest.mark.once
def test_arrays_are_not_read_before_names_and_shapes_fit(tmp_path):
    np.savez(tmp_path / "big.npz", **{"conv1.weight": np.zeros((4, 3, 7, 7), "float32")})
    with open_arrays(tmp_path / "big.npz") as arrays:
        assert arrays["conv1.weight"].shape == (4, 3, 7, 7)
