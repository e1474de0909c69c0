"""Every record of public weights against the network it is for, and `weights=` of builders."""

import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest
from support import without_values

import keras_resnet
from keras_resnet import Architecture
from keras_resnet.weights import DIALECTS, ImageRule, Result, graph_options
from keras_resnet.weights.convert import entries, layers_by_name, layout_of_model, source_shape
from keras_resnet.weights.dialects import NAMES, dialect_of
from keras_resnet.weights.find import find, record_named
from keras_resnet.weights.matching import has_layers_of, records_for
from keras_resnet.weights.records import read_records

RECORDS = keras_resnet.list_weights()
IDS = [record.id for record in RECORDS]
LICENSES = {"BSD-3-Clause", "BSD-2-Clause", "Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-NC-4.0"}
# Hashes that are neither in the name of the file nor in a library: typed a second time.
MSRA = {
    "resnet50.msra": "md5:3e9f4e4f77bbe2c9bec13b53ee1c2319",
    "resnet101.msra": "md5:05dc86924389e5b401a9ea0348a3213c",
    "resnet152.msra": "md5:6ee11ef2b135592f8031058820bb9e71",
}


def kind_of(record):
    """What decides whether a record fits, but the depth of the network."""
    family = re.sub(r"\d+", "", record.network)
    return family, record.dialect, str(dict(record.options))


def shallowest_first():
    """The records; those that differ from a shallower network's only in depth are slow."""
    seen = set()
    for record in sorted(RECORDS, key=lambda record: record.architecture.depth):
        if record.network == "cifar_resnet1202":  # as cifar_resnet110, and minutes to build
            continue
        marks = [pytest.mark.slow] if kind_of(record) in seen else []
        seen.add(kind_of(record))
        yield pytest.param(record, id=record.id, marks=marks)


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
    hub = record.url.startswith("hf://")
    assert hub if not record.hash else digest
    assert not record.hash or (64 if hub else 8) <= len(digest) <= bits[algorithm]
    assert re.fullmatch(r"[0-9a-f]*", digest)
    assert record.license in LICENSES
    assert record.page.startswith("https://")
    assert record.dialect in NAMES
    image = record.image
    assert image.size in (224, 256, 384, None)
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
def test_a_hash_is_the_one_that_its_publisher_states(record):
    """In the name of the file, in Keras' code, or in a release that is not at hand here."""
    algorithm, _, digest = record.hash.partition(":")
    if record.name == "keras":
        from keras.src.applications import resnet, vgg16, vgg19

        vggs = {"vgg16": vgg16, "vgg19": vgg19}
        if record.network in vggs:
            assert f'"{digest}"' in inspect.getsource(vggs[record.network])
        else:
            assert digest == resnet.WEIGHTS_HASHES[record.network][0]
    elif record.name == "msra":
        assert record.hash == MSRA[record.id]
    elif record.hash and not record.url.startswith("hf://"):
        assert re.search(r"-([0-9a-f]{8})\.(?:pth|th|tf2\.h5\.zip)$", record.url)[1] == digest
        assert algorithm == ("sha1" if record.dialect == "osmr" else "sha256")


@pytest.mark.once
@pytest.mark.parametrize("record", list(shallowest_first()))
def test_a_record_fits_the_network_it_is_for(record, networks):
    """Its options build a graph that shows them, and its dialect has a name for every variable."""
    key = (record.network, tuple(sorted(record.options.items())))
    if key not in networks:
        with without_values():
            networks[key] = keras_resnet.build(record.network, weights=None, **record.options)
    model = networks[key]
    assert graph_options(model) == dict(record.options), record.id
    assert record in records_for(model, RECORDS)
    dialect = dialect_of(layout_of_model(model), record.dialect)
    found = entries(model, dialect)
    assert all(entry.known for entry in found)
    assert len({entry.name for entry in found}) == len(found) == len(model.weights)


@pytest.mark.once
def test_every_set_of_timm_and_torchvision_states_its_accuracy():
    for record in RECORDS:
        if record.name != "microsoft":  # whose cards state none
            top1 = record.results[0].top1
            assert top1 is not None, record.id
        if "timm/" in record.url:
            assert record.results[0].top5 is not None, record.id


@pytest.mark.once
def test_a_license_that_excludes_commerce_is_said_once(monkeypatch):
    from keras_resnet.weights import download

    monkeypatch.setattr(download, "SAID", set())
    said = {record.license for record in RECORDS if not record.commercial}
    assert said == {"CC-BY-NC-4.0"}
    with pytest.warns(UserWarning, match=r"resnet18.fb_ssl are under CC-BY-NC-4.0"):
        download.say_license(record_named("resnet18.fb_ssl"))
    download.say_license(record_named("resnet18.fb_ssl"))
    download.say_license(record_named("resnet18.tv"))


@pytest.mark.once
def test_a_network_has_at_most_one_set_that_imagenet_stands_for():
    chosen = [str(record.row) for record in RECORDS if record.imagenet]
    assert len(set(chosen)) == len(chosen)


@pytest.mark.once
def test_a_wider_or_grouped_network_is_not_taken_for_the_one_with_the_same_blocks():
    records = [record for record in RECORDS if record.network == "resnet50"]
    with without_values():
        wide = keras_resnet.build(Architecture("bottleneck", (3, 4, 6, 3), 128, "imagenet", "B"))
        model = keras_resnet.build("resnet50", weights=None, stride_on="3x3")
    assert records_for(wide, RECORDS) == []
    with pytest.raises(ValueError, match="must be the path of a file or a record of this network"):
        keras_resnet.load_weights(wide, "tv")
    assert records_for(model, RECORDS) == records
    layers = layers_by_name(model)
    # A ResNeXt-50 32x4d has the same names, and 128 filters in 32 groups.
    grouped = SimpleNamespace(name="conv2_1_b", kernel=np.zeros((3, 3, 4, 128)))
    assert has_layers_of(layers, records[0].architecture)
    assert not has_layers_of({**layers, "conv2_1_b": grouped}, records[0].architecture)


@pytest.mark.once
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("license =", "license_ ="), r"\[resnet50\.mine\] is no record.*license"),
        (("url =", "urls ="), r"\[resnet50\.mine\] is no record.*urls"),
        (("dialect", 'color = "red"\ndialect'), r"\[resnet50\.mine\] is no record.*color"),
        (("crop_pct", "crop"), r"\[resnet50\.mine\] is no record.*crop"),
        (("top1", "top2"), r"\[resnet50\.mine\] is no record.*top2"),
        (('license = "MIT"', 'license = "MIT"\nlicense = "MIT"'), r"Cannot overwrite"),
    ],
)
def test_a_table_of_records_that_is_not_right_is_an_error_that_names_it(change, message, tmp_path):
    table = """
        [resnet50.mine]
        source = "me"
        url = "https://example.org/mine.npz"
        license = "MIT"
        dialect = "timm"
        image = { size = 0, crop_pct = 1.0, mean = [1, 2, 3] }
        results = [ { top1 = 70.0, protocol = "mine" } ]
    """
    path = tmp_path / "records.toml"
    path.write_text(table)
    (record,) = read_records(path)
    assert (record.id, record.hash, record.license) == ("resnet50.mine", "", "MIT")
    assert record.image == ImageRule(size=None, crop_pct=1.0, mean=(1, 2, 3))
    assert record.results == (Result(70.0, None, "mine"),)
    path.write_text(table.replace(*change))
    with pytest.raises(ValueError, match=message):
        read_records(path)


@pytest.mark.once
def test_records_have_names_of_their_own():
    assert len(set(IDS)) == len(IDS)
    assert len({record.url for record in RECORDS}) == len(RECORDS)


@pytest.mark.once
def test_a_network_lists_its_own_sets():
    names = [record.name for record in keras_resnet.list_weights(keras_resnet.ResNet50)]
    assert {"tv", "tv2", "a1", "a2", "a3", "msra", "keras", "microsoft", "d_a1"} <= set(names)
    assert keras_resnet.list_weights("plain18") == []
    model = keras_resnet.build("cifar_resnet20", weights=None)
    assert [r.name for r in keras_resnet.list_weights(model)] == ["osmr", "akamaster"]
    with pytest.raises(ValueError, match="Unknown network"):
        keras_resnet.list_weights("resnet51")


@pytest.mark.once
@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_imagenet_is_a_set_that_loads_without_torch(name):
    record = find("imagenet", keras_resnet.networks.family.network_row(name))
    assert record.id == f"{name}.a1"
    assert record.url.endswith(".safetensors")


@pytest.mark.once
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


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "tv2", "stride_on": "1x1"}, r"resnet50.tv2 are for stride_on='3x3'.*Received"),
        ({"weights": "msra", "pool1": "symmetric"}, r"pool1='caffe'; leave that out"),
        ({"weights": "tv", "shortcut": "C"}, r"shortcut='B'.*Received: shortcut='C'"),
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


@pytest.mark.once
def test_a_net_without_public_weights_says_so():
    with pytest.raises(ValueError, match="there are no public weights of this network"):
        keras_resnet.build("plain18", weights="imagenet")


@pytest.mark.once
def test_weights_for_another_graph_are_not_loaded_into_a_model():
    model = keras_resnet.build("cifar_resnet20", weights=None, zero_channels="end")
    with pytest.raises(ValueError, match=r"built with zero_channels='center'.*zero_channels='end'"):
        keras_resnet.load_weights(model, "akamaster")


@pytest.mark.once
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
