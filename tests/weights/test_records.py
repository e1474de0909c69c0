"""Every record of public weights against the network it is for, and `weights=` of builders."""

import re

import pytest
from support import without_values

import keras_resnet
from keras_resnet.weights import DIALECTS, graph_options
from keras_resnet.weights.convert import entries, layout_of_model, source_shape
from keras_resnet.weights.families import NAMES, dialect_of
from keras_resnet.weights.find import find, record_named

RECORDS = keras_resnet.list_weights()
IDS = [record.id for record in RECORDS]
LICENCES = {"BSD-3-Clause", "BSD-2-Clause", "Apache-2.0", "MIT"}


@pytest.fixture(scope="module")
def networks():
    return {}


@pytest.mark.once
@pytest.mark.parametrize("record", RECORDS, ids=IDS)
def test_a_record_is_complete(record):
    assert record.network in keras_resnet.list_models()
    assert re.fullmatch(r"https://[\w./-]+\.(pth|th|h5|h5\.zip)|hf://[\w./-]+", record.url)
    bits = {"sha256": 64, "sha1": 40, "md5": 32}
    algorithm, _, digest = record.hash.partition(":")
    assert record.url.startswith("hf://") if not record.hash else digest
    assert not record.hash or 8 <= len(digest) <= bits[algorithm]
    assert re.fullmatch(r"[0-9a-f]*", digest)
    assert record.licence in LICENCES
    assert record.dialect in NAMES
    image = record.image
    assert image.size in (224, None)
    assert 0.5 < image.crop_pct <= 1
    half = image.mean == (127.5, 127.5, 127.5) == image.std
    caffes = record.dialect in ("keras", "caffe") and not half
    assert image.channels == ("BGR" if caffes else "RGB")
    assert all(90 < mean < 140 for mean in image.mean)
    assert half or image.mean[0] > image.mean[2], "red first, and photographs have most of it"
    for result in record.results:
        assert result.protocol
        assert result.top1 is None or 60 < result.top1 < 100
        assert result.top5 is None or result.top5 > (result.top1 or 0)


@pytest.mark.once
@pytest.mark.parametrize("record", RECORDS, ids=IDS)
def test_a_record_fits_the_network_it_is_for(record, networks):
    """Its options build a graph that shows them, and its dialect has a name for every variable."""
    key = (record.network, tuple(sorted(record.options.items())))
    if key not in networks and record.network != "cifar_resnet1202":
        with without_values():
            networks[key] = keras_resnet.build(record.network, weights=None, **record.options)
    if key in networks:
        model = networks[key]
        assert graph_options(model) == dict(record.options), record.id
        dialect = dialect_of(layout_of_model(model), record.dialect)
        assert all(entry.known for entry in entries(model, dialect))
        names = [entry.name for entry in entries(model, dialect)]
        assert len(set(names)) == len(names) == len(model.weights)


def test_records_have_names_of_their_own():
    assert len(set(IDS)) == len(IDS)
    assert len({record.url for record in RECORDS}) == len(RECORDS)


def test_a_network_lists_its_own_sets():
    names = [record.name for record in keras_resnet.list_weights(keras_resnet.ResNet50)]
    assert {"tv", "tv2", "a1", "a2", "a3", "msra", "keras", "microsoft", "d_a1"} <= set(names)
    assert keras_resnet.list_weights("plain18") == []
    model = keras_resnet.build("cifar_resnet20", weights=None)
    assert [r.name for r in keras_resnet.list_weights(model)] == ["osmr", "akamaster"]
    with pytest.raises(ValueError, match="Unknown network"):
        keras_resnet.list_weights("resnet51")


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_imagenet_is_a_set_that_loads_without_torch(name):
    record = find("imagenet", keras_resnet.networks.paper.architecture(name))
    assert record.id == f"{name}.a1"
    assert record.url.endswith(".safetensors")


def test_builders_start_from_imagenet_where_there_are_such_weights(monkeypatch):
    asked = []

    def no_download(record, cache_dir=None):
        asked.append(record.id)
        raise keras_resnet.DownloadError("no network in this test")

    monkeypatch.setattr("keras_resnet.models.fetch", no_download)
    for builder in (keras_resnet.ResNet18, keras_resnet.ResNet152):
        with pytest.raises(keras_resnet.DownloadError):
            builder()
    assert asked == ["resnet18.a1", "resnet152.a1"]
    assert (
        keras_resnet.ResNet20().count_params()
        == keras_resnet.build("cifar_resnet20").count_params()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "tv2", "stride_on": "1x1"}, r"resnet50.tv2 are for stride_on='3x3'.*Received"),
        ({"weights": "msra", "pool1": "symmetric"}, r"pool1='caffe'; leave that out"),
        ({"weights": "tv", "shortcut": "C"}, r"shortcut='B'.*Received: shortcut='C'"),
        ({"weights": "keras", "classes": 10}, r"1000 classes.*skip_mismatch=\"fc\""),
        ({"weights": "tv", "input_shape": (64, 64, 4)}, r"3 channels. Received: 4 channels"),
        ({"weights": "tv3"}, r"Did you mean 'tv'\?"),
        ({"weights": 3}, r"must be None, a name, a record"),
        ({"weights": record_named("resnet18.tv")}, r"Other weights than this network's"),
    ],
)
def test_what_contradicts_the_weights_is_an_error_before_anything_is_downloaded(
    arguments, message, monkeypatch
):
    monkeypatch.setattr("keras_resnet.models.fetch", lambda record: pytest.fail("downloaded"))
    with pytest.raises(ValueError, match=message):
        keras_resnet.ResNet50(**arguments)


def test_a_net_without_public_weights_says_so():
    with pytest.raises(ValueError, match="there are no public weights of this network"):
        keras_resnet.build("plain18", weights="imagenet")


def test_weights_for_another_graph_are_not_loaded_into_a_model():
    model = keras_resnet.build("cifar_resnet20", weights=None, zero_channels="end")
    with pytest.raises(ValueError, match=r"built with zero_channels='center'.*zero_channels='end'"):
        keras_resnet.load_weights(model, "akamaster")


def test_sets_of_one_name_that_expect_different_images_must_be_told_apart():
    assert record_named("tv2").image.resize == 232
    with pytest.raises(ValueError, match=r"resnet50\.a1h.*resnet101\.a1h"):
        record_named("a1h")
    with pytest.raises(ValueError, match="must be a record"):
        record_named("best")


@pytest.mark.once
def test_every_array_of_a_record_has_the_shape_its_layer_takes():
    """Names and shapes of a torchvision state dict, written down: conv1, a projection, fc."""
    with without_values():
        model = keras_resnet.build("resnet50", weights=None, stride_on="3x3")
    dialect = DIALECTS["torchvision"]
    shapes = {entry.name: source_shape(entry, dialect) for entry in entries(model, dialect)}
    assert shapes["conv1.weight"] == (64, 3, 7, 7)
    assert shapes["layer2.0.downsample.0.weight"] == (512, 256, 1, 1)
    assert shapes["layer4.2.bn3.running_var"] == (2048,)
    assert shapes["fc.weight"] == (1000, 2048)
    assert len(shapes) == 267
