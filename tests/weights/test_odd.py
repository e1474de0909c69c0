"""Files of weights as training programs leave them, and damage that other readers pass over."""

import io
import os
import struct
import tracemalloc
import zipfile

import keras
import numpy as np
import pytest
from support import fill
from support.weights import assert_same_values, source, target, tiny

import keras_resnet
from keras_resnet import Architecture, WeightsFileError, load_weights, save_weights
from keras_resnet.weights import DIALECTS
from keras_resnet.weights.save import arrays_of

pytestmark = pytest.mark.once


def state():
    return arrays_of(source(), DIALECTS["torchvision"])


def tensors():
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    return {name: torch.from_numpy(array.copy()) for name, array in state().items()}


def test_one_flipped_bit_of_a_weight_in_a_file_of_torch_is_noticed(tmp_path):
    pytest.importorskip("torch", reason="torch's files need torch")
    path = tmp_path / "weights.pth"
    save_weights(source(), path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    content[largest.header_offset + 200] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsFileError, match=r"weights.pth is damaged: its CRC-32"):
        load_weights(target(), path)


@pytest.mark.parametrize("kind", ["complex64", "U4", "datetime64[s]", "bool", [("x", "f4")]])
@pytest.mark.parametrize("form", ["mapping", "npz"])
def test_arrays_that_are_no_real_numbers_are_refused_by_name(form, kind, tmp_path):
    arrays = state()
    arrays["bn1.bias"] = np.zeros(4, kind)
    given = arrays
    if form == "npz":
        given = tmp_path / "weights.npz"
        np.savez(given, **arrays)
    with pytest.raises(WeightsFileError, match=r"bn1\.bias in .*real numbers are needed"):
        load_weights(target(), given)


def test_a_complex_tensor_in_a_file_of_torch_is_refused_by_name(tmp_path):
    given = tensors()
    given["bn1.bias"] = given["bn1.bias"] + 0j
    import torch

    torch.save(given, tmp_path / "weights.pth")
    with pytest.raises(WeightsFileError, match=r"bn1\.bias in .*complex64"):
        load_weights(target(), tmp_path / "weights.pth")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_an_archive_holds_twice_is_refused(tmp_path):
    np.savez(tmp_path / "weights.npz", **state())
    with zipfile.ZipFile(tmp_path / "weights.npz", "a") as archive:
        archive.writestr("bn1.bias.npy", archive.read("bn1.bias.npy"))
    with pytest.raises(WeightsFileError, match=r"holds bn1\.bias\.npy twice"):
        load_weights(target(), tmp_path / "weights.npz")


def test_several_state_dicts_in_one_file_must_be_told_apart(tmp_path):
    given = tensors()
    import torch

    torch.save({"state_dict": given, "state_dict_ema": given}, tmp_path / "weights.pth")
    with pytest.raises(WeightsFileError, match=r"several state dicts: state_dict, state_dict_ema"):
        load_weights(target(), tmp_path / "weights.pth")
    load_weights(model := target(), torch.load(tmp_path / "weights.pth")["state_dict_ema"])
    assert_same_values(model, source())


PREFIXES = [
    "_orig_mod.module.",
    "model._orig_mod.",
    "module.model.",
    "net.",
    "module.net._orig_mod.",
]
ENVELOPES = [("state_dict", "model"), ("net",), ("params",), ("model_state_dict",), ("model_ema",)]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_come_off_in_any_order(prefix):
    load_weights(model := target(), {prefix + name: array for name, array in state().items()})
    assert_same_values(model, source())


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_envelopes_are_opened_in_any_order(envelope, tmp_path):
    content = {f"module.{name}": tensor for name, tensor in tensors().items()}
    import torch

    for key in envelope:
        content = {key: content, "epoch": 3}
    torch.save(content, tmp_path / "weights.pth")
    load_weights(model := target(), tmp_path / "weights.pth")
    assert_same_values(model, source())


def test_a_mapping_may_hold_tensors_of_any_kind_and_names_must_be_text(tmp_path):
    given = tensors()
    given["bn1.bias"].requires_grad_()
    load_weights(model := target(), given)
    assert_same_values(model, source())
    given["conv1.weight"] = given["conv1.weight"].bfloat16()
    load_weights(model, given)
    import torch

    torch.save({**given, 3: given["bn1.bias"].detach()}, tmp_path / "weights.pth")
    for odd in ({**given, 3: given["bn1.bias"]}, tmp_path / "weights.pth"):
        with pytest.raises(WeightsFileError, match=r"3.*no text"):
            load_weights(model, odd)


def test_a_header_that_declares_or_unfolds_to_be_large_costs_no_memory(tmp_path):
    """512 MiB of header in 0.5 MB, and a member of 500 MB that declares 1,000 bytes."""
    header = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**27) + b" " * 2**27
    with zipfile.ZipFile(tmp_path / "header.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conv1.weight.npy", header)
    member = io.BytesIO()
    np.save(member, np.zeros(2**27, "uint8"))
    with zipfile.ZipFile(tmp_path / "member.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conv1.weight.npy", member.getvalue())
    content = (tmp_path / "member.npz").read_bytes()
    real, declared = struct.pack("<I", len(member.getvalue())), struct.pack("<I", 128 + 1000)
    (tmp_path / "member.npz").write_bytes(content.replace(real, declared))
    del header, member, content
    for name in ("header.npz", "member.npz"):
        tracemalloc.start()
        with pytest.raises((WeightsFileError, ValueError)):
            load_weights(target(), tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 20e6
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    for name, kind in (("pipe.npz", "pipe"), ("", "folder")):
        with pytest.raises(WeightsFileError, match=f"Received the {kind}"):
            load_weights(target(), tmp_path / name)


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "pth", "h5"])
def test_a_file_has_the_mode_that_the_user_set(suffix, tmp_path):
    before = os.umask(0o022)
    try:
        path = tmp_path / f"weights.{suffix}"
        save_weights(tiny(), path, "keras_resnet" if suffix == "h5" else "torchvision")
        assert path.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("suffix", ["npz", "safetensors", "h5", "weights.h5"])
def test_two_networks_in_one_model_are_saved_and_loaded_by_path(suffix, tmp_path):
    def pair():
        row = Architecture("basic", (1, 1), 4, "cifar", "A")
        image = keras.Input((32, 32, 3))
        nets = [keras_resnet.build(row, classes=5, name=name) for name in ("one", "other")]
        return keras.Model(image, [net(image) for net in nets])

    model, again = fill(pair()), pair()
    path = tmp_path / f"weights.{suffix}"
    if suffix == "weights.h5":
        model.save_weights(path)
    else:
        save_weights(model, path, "keras_resnet")
    assert load_weights(again, path) == ()
    for mine, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="has no name for one/conv1"):
        save_weights(model, tmp_path / "weights.pth", "torchvision")
