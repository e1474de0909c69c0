"""Repositories of the hub: read by their config.json, written for timm, against a local server."""

import json
import os

import keras
import numpy as np
import pytest
from support import fill
from support.servers import COMMIT, hub
from support.weights import values

import keras_resnet
from keras_resnet import DownloadError
from keras_resnet.weights.pretrained import network_in, timm_name
from keras_resnet.weights.save import save_weights

pytestmark = pytest.mark.once
TIMM = {
    "architecture": "resnet18",
    "num_classes": 5,
    "pretrained_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "input_size": [3, 224, 224],
        "crop_pct": 0.9,
        "interpolation": "bicubic",
    },
}
TRANSFORMERS = {
    "model_type": "resnet",
    "layer_type": "basic",
    "depths": [2, 2, 2, 2],
    "id2label": {str(n): str(n) for n in range(5)},
}
PROCESSOR = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"shortest_edge": 224}}


@pytest.fixture(scope="module")
def net():
    return fill(keras_resnet.build("resnet18", classes=5, input_shape=(32, 32, 3)))


@pytest.fixture
def server(monkeypatch, tmp_path):
    with hub(monkeypatch, tmp_path / "shared") as running:
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
        running.files = running.commits.setdefault(COMMIT, {})
        yield running


def holds(server, config, net=None, dialect="timm", folder=None, **others):
    server.files["config.json"] = json.dumps(config).encode()
    for name, content in others.items():
        server.files[f"{name}.json"] = json.dumps(content).encode()
    if net is not None:
        save_weights(net, folder / "made.safetensors", dialect)
        server.files["model.safetensors"] = (folder / "made.safetensors").read_bytes()


@pytest.mark.parametrize("kind", ["timm", "transformers"])
def test_a_repository_is_read_by_its_config(kind, server, net, tmp_path):
    config = TIMM if kind == "timm" else TRANSFORMERS
    holds(server, config, net, kind, tmp_path, preprocessor_config=PROCESSOR)
    model = keras_resnet.ResNet18(weights="hf://me/net", input_shape=(32, 32, 3))
    assert model.output.shape == (None, 5)
    for path, value in values(net).items():
        np.testing.assert_array_equal(values(model)[path], value)
    rule = keras_resnet.Preprocessing("hf://me/net").rule
    assert rule.mean == (127.5, 127.5, 127.5)
    assert rule.crop_pct == (0.9 if kind == "timm" else 0.875)


def test_weights_are_downloaded_and_their_sum_computed_once(server, net, tmp_path, monkeypatch):
    from keras_resnet.weights import hub as files

    read = []
    sums = files.matches
    monkeypatch.setattr(files, "matches", lambda path, _: read.append(path.name) or sums(path, _))
    holds(server, TIMM, net, "timm", tmp_path)
    keras_resnet.Preprocessing("hf://me/net")
    assert set(read) == {"config.json"}
    for _ in range(2):
        read.clear()
        keras_resnet.ResNet18(weights="hf://me/net", input_shape=(32, 32, 3))
        assert read == ["config.json", "model.safetensors"]


def test_what_is_no_network_of_ours_or_of_another_head_is_one_clear_error(server, net, tmp_path):
    with pytest.raises(ValueError, match="hf://owner/name"):
        keras_resnet.ResNet18(weights="hf://me")
    holds(server, {"architecture": "vit_base_patch16_224"}, net, "timm", tmp_path)
    with pytest.raises(ValueError, match=r"no network of this package.*'vit_base_patch16_224'"):
        keras_resnet.ResNet18(weights="hf://me/net")
    server.files["config.json"] = b"[[["
    with pytest.raises(ValueError, match="no JSON"):
        keras_resnet.ResNet18(weights="hf://me/other")
    holds(server, TIMM)
    with pytest.raises(ValueError, match="Other weights than this network's: they are of resnet18"):
        keras_resnet.ResNet34(weights="hf://me/third")
    holds(server, TIMM | {"num_classes": 7})
    with pytest.raises(ValueError, match="misshapen"):
        keras_resnet.ResNet18(weights="hf://me/fourth", input_shape=(32, 32, 3))


def test_a_repository_of_pickles_alone_is_refused_with_what_to_do(server):
    holds(server, TIMM)
    server.files["model.safetensors"] = None
    with pytest.raises(DownloadError, match=r"model.safetensors: .* no such.*weights_only=True"):
        keras_resnet.ResNet18(weights="hf://me/net")
    with pytest.raises(DownloadError, match="accept its terms"):
        keras_resnet.ResNet18(weights="hf://gated/net")


def test_what_is_pushed_comes_back(server, net, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "of nobody")
    results = {"top-1 error on ten images (%)": 12.5}
    commit = keras_resnet.push_to_hub(net, "me/net", results=results, license="MIT")
    assert commit.endswith(COMMIT)
    assert set(server.files) == {"README.md", "config.json", "model.safetensors"}
    text = server.files["README.md"].decode()
    assert "top-1 error on ten images (%): 12.5" in text
    assert "license: mit" in text
    model = keras_resnet.ResNet18(weights="hf://me/net", input_shape=(32, 32, 3))
    for path, value in values(net).items():
        np.testing.assert_array_equal(values(model)[path], value)


def test_a_folder_says_what_timm_calls_the_network(net, tmp_path):
    keras_resnet.save_pretrained(net, tmp_path / "a" / "b")
    assert sorted(os.listdir(tmp_path / "a" / "b")) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    config = json.loads((tmp_path / "a" / "b" / "config.json").read_text())
    assert (config["architecture"], config["num_classes"]) == ("resnet18", 5)
    with pytest.raises(ValueError, match="does not say what it was built as"):
        keras_resnet.save_pretrained(keras.Sequential([keras.layers.Dense(1)]), tmp_path)


def test_only_a_network_that_computes_the_same_has_a_name_in_timm():
    from keras_resnet.network import graph_of

    names = {
        "resnet18": ("resnet18", {}),
        "resnet50": ("resnet50", {"stride_on": "3x3"}),
        "": ("resnet50", {}),
        "resnet18d": ("resnet18", {"stem": "deep", "downsample": "avg"}),
        "resnetv2_18": ("preact_resnet18", {"first_norm": "conv2_1"}),
        "resnext50d_32x4d": ("resnext50_32x4d", {"stem": "deep", "downsample": "avg"}),
        "wide_resnet50_2": ("wide_resnet50_2", {}),
        "resnet34d": ("resnet34d", {}),
    }
    for name, (network, options) in names.items():
        model = keras_resnet.build(network, include_top=False, **options)
        assert timm_name(graph_of(model)) == name
        if name:
            assert network_in({"architecture": name}, "")[1] in (network, network.rstrip("d"))


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("resnet18", {}),
        ("resnet18", {"stem": "deep", "downsample": "avg"}),
        ("preact_resnet18", {"first_norm": "conv2_1"}),
    ],
)
def test_timm_loads_what_is_saved(network, options, tmp_path):
    timm = pytest.importorskip("timm", reason='timm comes with the extra "parity"')
    import torch

    net = fill(keras_resnet.build(network, classes=5, input_shape=(32, 32, 3), **options))
    keras_resnet.save_pretrained(net, tmp_path)
    theirs = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype("float32")
    with torch.no_grad():
        logits = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2))).softmax(-1).numpy()
    np.testing.assert_allclose(np.asarray(net.predict(x, verbose=0)), logits, atol=1e-5)


def test_the_first_call_of_a_newcomer_works(server, tmp_path):
    """`ResNet18()` and `classify`, from an empty cache, with a stand-in for the set `a1`."""
    made = fill(keras_resnet.build("resnet18", input_shape=(32, 32, 3)))
    holds(server, {}, made, "timm", tmp_path)
    model = keras_resnet.ResNet18()
    for path, value in values(made).items():
        np.testing.assert_array_equal(values(model)[path], value)
    best = keras_resnet.classify(np.zeros((64, 64, 3), "uint8"), "resnet18")
    assert len(best) == 5
