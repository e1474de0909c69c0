"""A file carries what its network was built as: no other takes its weights without a word."""

import itertools
import zipfile
from contextlib import suppress

import h5py
import keras
import numpy as np
import pytest
from support import fill
from support.weights import TINY, assert_same_values, tiny

import keras_resnet
from keras_resnet import Architecture, load_weights, save_weights
from keras_resnet.common.files import differences
from keras_resnet.network import Network, graph_of
from keras_resnet.networks.family import narrowed, network_row
from keras_resnet.networks.options import OPTIONS
from keras_resnet.weights.matching import graph_in

pytestmark = pytest.mark.portable

ROWS = (
    TINY,
    Architecture("basic", (1, 1, 1), 4, "cifar", "A"),
    Architecture("bottleneck", (1, 1), 4, "imagenet", "B", order="preactivation"),
    Architecture("bottleneck", (1, 1), 4, "imagenet", "B", order="v2"),
    *(narrowed(network_row(name), 4) for name in ("vgg11", "vgg11_lrn")),
    *(narrowed(network_row(name), 8) for name in ("googlenet", "bn_inception", "prelu_net_a")),
)
# Of a layer that refuses its weights, before Keras raises the error.
KERAS_SAYS_MORE = pytest.mark.filterwarnings("ignore:Skipping nested container")
ELSE = "computes something else; nothing was loaded"


def variants():
    """Every row as it comes, and with each value of each option that is part of its graph."""
    for row in ROWS:
        usual = keras_resnet.build(row, include_top=row.family == "prelu_net", classes=5)
        yield usual
        built = graph_of(usual)
        for name, option in OPTIONS.items():
            if not option.graph or option.lacks(row):
                continue
            for value in option.values_of(row) or (False, True):
                if value == {**built["row"], **built["options"]}[name]:
                    continue
                with suppress(ValueError):  # two options that do not go together
                    top = row.family == "prelu_net"
                    yield keras_resnet.build(row, top, classes=5, **{name: value})


@pytest.fixture(scope="module")
def networks():
    return list(variants())


@pytest.fixture(scope="module", params=["safetensors", "npz", "weights.h5", "h5"])
def files(request, networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{number}.{request.param}" for number in range(len(networks))]
    for model, path in zip(networks, paths, strict=True):
        if request.param == "weights.h5":
            model.save_weights(path)
        else:
            save_weights(model, path, "keras_resnet")
    return paths


@pytest.mark.once
def test_the_options_that_are_part_of_a_graph_all_tell_two_networks_apart(networks):
    told_apart = set()
    for one, other in itertools.combinations(networks, 2):
        found = differences(graph_of(one), graph_of(other))
        assert found
        told_apart |= set(found) if len(found) == 1 else set()
    assert told_apart >= {name for name, option in OPTIONS.items() if option.graph}
    assert "lrn" in told_apart


@pytest.mark.once
def test_no_network_takes_the_weights_of_one_that_computes_something_else(networks, files):
    """By our `load_weights` and by Keras' own, where their shapes are the same."""
    shapes = [[tuple(variable.shape) for variable in model.weights] for model in networks]
    pairs = 0
    for number, model in enumerate(networks):
        before = [variable.value for variable in model.weights]
        for other, path in enumerate(files):
            if other == number or shapes[other] != shapes[number]:
                continue
            pairs += 1
            with pytest.raises(ValueError, match=ELSE):
                load_weights(model, path)
            if path.suffix == ".h5":
                with pytest.raises(ValueError, match=ELSE):
                    model.load_weights(path)
        after = [variable.value for variable in model.weights]
        assert all(one is other for one, other in zip(before, after, strict=True))
        assert load_weights(model, files[number]) == ()
        assert graph_in(files[number]) == graph_of(model)
    assert pairs > 100


@pytest.mark.once
def test_the_error_names_the_difference_and_the_call_that_fits(tmp_path):
    v1 = keras_resnet.build("resnet50", include_top=False, shortcut="C")
    v15 = keras_resnet.build("resnet50", include_top=False, shortcut="C", stride_on="3x3")
    v15.save_weights(tmp_path / "file.weights.h5")
    with pytest.raises(ValueError, match=r"with stride_on='3x3'.*with stride_on='1x1'") as caught:
        v1.load_weights(tmp_path / "file.weights.h5")
    call = "keras_resnet.build('resnet50', shortcut='C', stride_on='3x3') fits"
    assert str(caught.value).endswith(call)


@pytest.mark.once
def test_a_difference_may_be_meant(tmp_path):
    save_weights(fill(tiny()), tmp_path / "file.npz")
    dilated = tiny(output_stride=8)
    with pytest.raises(ValueError, match="output_stride"):
        load_weights(dilated, tmp_path / "file.npz")
    assert load_weights(dilated, tmp_path / "file.npz", other_graph="output_stride") == ()
    keras_resnet.build(TINY, weights=tmp_path / "file.npz", classes=5, output_stride=8)


@pytest.mark.once
def test_a_builder_takes_the_graph_from_the_file(tmp_path):
    source = fill(tiny(stride_on="3x3", pool1="caffe"))
    save_weights(source, tmp_path / "file.safetensors")
    model = keras_resnet.build(TINY, weights=tmp_path / "file.safetensors", classes=5)
    assert graph_of(model)["options"] == graph_of(source)["options"]
    assert_same_values(model, source)
    with pytest.raises(ValueError, match=r"file.safetensors are for stride_on='3x3'.*Received"):
        keras_resnet.build(TINY, weights=tmp_path / "file.safetensors", stride_on="1x1")


@KERAS_SAYS_MORE
def test_what_a_network_was_built_as_survives_saving_and_building_around_it(tmp_path):
    model, other = tiny(stride_on="3x3"), tiny()
    model.save(tmp_path / "model.keras")
    assert graph_of(keras.models.load_model(tmp_path / "model.keras")) == graph_of(model)
    head = keras_resnet.new_head(model, 3)
    assert not differences(graph_of(head), graph_of(model))
    assert graph_of(head)["classes"] == 3
    around = [keras.Sequential([keras.Input((224, 224, 3)), net]) for net in (model, other)]
    around[0].save_weights(tmp_path / "around.weights.h5")
    around[0].load_weights(tmp_path / "around.weights.h5")
    with pytest.raises(ValueError, match="computes something else"):
        around[1].load_weights(tmp_path / "around.weights.h5")
    save_weights(around[0], tmp_path / "around.npz")
    with pytest.raises(ValueError, match="computes something else"):
        load_weights(around[1], tmp_path / "around.npz")


@pytest.mark.once
@KERAS_SAYS_MORE
def test_models_made_of_a_network_carry_it_and_so_do_the_files_of_their_weights(tmp_path):
    """Clones, parts and whole models loaded from a file; saved and loaded by Keras and by us."""
    path = tmp_path / "file.weights.h5"
    for kind in ("fast", "keras"):
        source, other = (tiny(stride_on=s, layers=kind) for s in ("3x3", "1x1"))
        part = lambda net: keras.Model(net.input, net.get_layer("pool").output)  # noqa: E731
        made = [(part(source), part(other))]
        if kind == "fast":  # plain Keras' own clone of plain layers is like any model's
            part(source).save(tmp_path / "part.keras")
            made += [
                (keras.models.clone_model(source), other),
                (source, keras.models.clone_model(other)),
                (keras.models.load_model(tmp_path / "part.keras"), part(other)),
            ]
        for one, wrong in made:
            assert not differences(graph_of(one), graph_of(source))
            one.save_weights(path)
            assert not differences(graph_in(path), graph_of(source))
            with pytest.raises(ValueError, match=ELSE):
                load_weights(wrong, path)
            with pytest.raises(ValueError, match="computes something else"):
                wrong.load_weights(path)
            one.load_weights(path)


@pytest.mark.once
def test_a_config_with_it_is_still_that_of_a_stock_layer():
    config = tiny().get_layer("conv1").get_config()
    layer = keras.layers.Conv2D.from_config(config)
    assert layer.get_config() == {**config, "name": layer.name}


@pytest.mark.once
def test_a_network_of_stock_layers_carries_and_checks_it_too(tmp_path):
    stock, fast = tiny(stride_on="3x3", layers="keras"), tiny()
    assert not isinstance(stock, Network)
    stock.save_weights(tmp_path / "stock.weights.h5")
    fast.save_weights(tmp_path / "fast.weights.h5")
    for model, name in ((stock, "fast"), (fast, "stock")):
        with pytest.raises(ValueError, match="computes something else"):
            model.load_weights(tmp_path / f"{name}.weights.h5")
    stock.save(tmp_path / "stock.keras")
    plain = keras.models.load_model(tmp_path / "stock.keras")
    assert graph_of(plain) is None
    plain.load_weights(tmp_path / "stock.weights.h5")
    with pytest.raises(ValueError, match="stride_on"):
        load_weights(plain, tmp_path / "fast.weights.h5")  # by what its layers show


@pytest.mark.once
def test_other_libraries_do_not_see_it(tmp_path):
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    for suffix in ("pth", "npz"):
        save_weights(tiny(), tmp_path / f"file.{suffix}")
    with np.load(tmp_path / "file.npz") as arrays:
        names = set(arrays.files)
    assert set(torch.load(tmp_path / "file.pth", weights_only=True, mmap=True)) == names
    assert all("keras" not in name for name in names)


@pytest.mark.once
def test_files_without_it_load_and_damaged_ones_are_refused(tmp_path):
    model, path = fill(tiny()), tmp_path / "file.weights.h5"
    model.save_weights(path)
    for text in ("[[[", '{"row": 1}'):
        with h5py.File(path, "a") as file:
            file["vars"].attrs["keras_resnet"] = text
        for load in (model.load_weights, lambda path: load_weights(model, path)):
            with pytest.raises(ValueError, match="damaged"):
                load(path)
    with h5py.File(path, "a") as file:
        for group in ("vars", "layers/conv2d/vars"):
            del file[group].attrs["keras_resnet"]
    model.load_weights(path)
    assert load_weights(tiny(stride_on="3x3"), path) == ()
    save_weights(model, tmp_path / "file.npz")
    with zipfile.ZipFile(tmp_path / "file.npz", "a") as archive:
        archive.comment = b"{" * 30_000
    with pytest.raises(ValueError, match="damaged"):
        load_weights(model, tmp_path / "file.npz")
