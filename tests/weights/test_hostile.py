"""Files of weights that are damaged or malicious: none is run, followed or decompressed."""

import io
import os
import pickle
import zipfile

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file
from support.weights import source, target

from keras_resnet import DownloadError, evaluation, load_weights, save_weights
from keras_resnet.common import zips
from keras_resnet.weights import WeightsFileError
from keras_resnet.weights.download import unpack
from keras_resnet.weights.matching import graph_in

pytestmark = pytest.mark.once


class Payload:
    def __reduce__(self):
        return exec, ("raise SystemExit('a payload ran')",)


def test_a_pickle_with_a_payload_is_refused_and_not_run(tmp_path):
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    for zipped in (True, False):
        path = tmp_path / f"payload{zipped}.pth"
        torch.save({"conv1.weight": Payload()}, path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(WeightsFileError, match="more than tensors"):
            load_weights(target(), path)
    np.savez(tmp_path / "payload.npz", **{"conv1.weight": np.array([Payload()], object)})
    with pytest.raises(WeightsFileError, match="declares object"):
        load_weights(target(), tmp_path / "payload.npz")


def test_a_plain_pickle_is_no_file_of_weights(tmp_path):
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"conv1.weight": Payload()}))
    with pytest.raises(WeightsFileError, match="unknown kind"):
        load_weights(target(), tmp_path / "plain.pkl")


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path):
    path = tmp_path / "weights.h5"
    for link in (h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink("/conv1")):
        save_weights(source(), path, "keras_resnet")
        with h5py.File(path, "a") as file:
            del file["fc"]
            file["fc"] = link
        with pytest.raises(WeightsFileError, match="links are not followed"):
            load_weights(target(), path)
    save_weights(source(), path, "keras_resnet")
    with h5py.File(path, "a") as file:
        del file["fc/fc/kernel:0"]
        file["fc/fc"].create_dataset(
            "kernel:0", (64, 5), "float32", external=[("/etc/passwd", 0, 1280)]
        )
    with pytest.raises(WeightsFileError, match="is in another file"):
        load_weights(target(), path)


def test_a_damaged_text_in_an_hdf5_file_neither_hangs_nor_takes_memory(tmp_path):
    """HDF5 looks for the end of a heap with an empty object, and clears a text of 4 GiB."""
    path = tmp_path / "weights.h5"
    save_weights(source(), path, "keras_resnet")
    sound = path.read_bytes()
    heap = sound.index(b"GCOL")
    text = sound.index(heap.to_bytes(8, "little")) - 4  # its length, the heap, its number there
    load = lambda damaged: load_weights(target(), damaged)  # noqa: E731
    for at, damage, read in ((heap + 16, bytes(16), graph_in), (text, b"\xff" * 4, load)):
        path.write_bytes(sound[:at] + damage + sound[at + len(damage) :])
        with pytest.raises(WeightsFileError, match="a text in it cannot be read"):
            read(path)


def test_only_a_regular_file_is_opened(tmp_path):
    model, device = target(), lambda path: path.symlink_to("/dev/zero")
    for suffix in ("h5", "weights.h5", "keras", "npz", "safetensors", "pth"):
        for number, make in enumerate((os.mkfifo, os.mkdir, device)):
            path = tmp_path / f"{number}.{suffix}"
            make(path)
            for read in (graph_in, lambda odd: load_weights(model, odd)):
                with pytest.raises(WeightsFileError, match="A file of weights is needed"):
                    read(path)


def test_a_giant_declared_shape_is_refused_without_memory(tmp_path):
    """10^12 numbers, declared in files of a few kilobytes."""
    path = tmp_path / "weights.h5"
    save_weights(source(), path, "keras_resnet")
    with h5py.File(path, "a") as file:
        del file["fc/fc/kernel:0"]
        file["fc/fc"].create_dataset("kernel:0", (10**6, 10**6), "float32", chunks=(64, 64))
    with pytest.raises(ValueError, match="fc/kernel is \\(1000000, 1000000\\)"):
        load_weights(target(), path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "giant.npz", "w") as archive:
        archive.writestr("conv1.weight.npy", header.getvalue())
    with pytest.raises(WeightsFileError, match="declares float32"):
        load_weights(target(), tmp_path / "giant.npz")


def test_a_compressed_archive_is_not_decompressed(tmp_path):
    pytest.importorskip("torch", reason="torch's files need torch")
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 10**7)
    with pytest.raises(WeightsFileError, match="is compressed"):
        load_weights(target(), tmp_path / "bomb.pth")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        data = io.BytesIO()
        np.save(data, np.zeros(10**7, "uint8"))
        archive.writestr("conv1.weight.npy", data.getvalue())
    with pytest.raises(ValueError, match=r"left over|misshapen"):
        load_weights(target(), tmp_path / "bomb.npz")


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    torch.save({"conv1.weight": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "giant.pth")
    with pytest.raises(WeightsFileError, match="more than is stored"):
        load_weights(target(), tmp_path / "giant.pth")


def zip_that_declares(path, size):
    """An archive of one member of 4 bytes, which is stored and said to have `size` bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"data")
        archive.filelist[0].file_size = size


def test_an_archive_that_declares_more_than_it_holds_is_not_read(tmp_path):
    zip_that_declares(tmp_path / "bomb.pth", 10**9)
    with pytest.raises(WeightsFileError, match="is compressed"):
        load_weights(target(), tmp_path / "bomb.pth")


def test_an_archive_of_a_download_is_not_unpacked_beyond_4_gibibytes(tmp_path):
    zip_that_declares(tmp_path / "large.h5.zip", 2**32 + 1)
    with pytest.raises(DownloadError, match="not an archive of one file of weights"):
        unpack(tmp_path / "large.h5.zip", tmp_path / "large.h5")
    zip_that_declares(tmp_path / "small.h5.zip", 4)
    unpack(tmp_path / "small.h5.zip", tmp_path / "small.h5")
    assert (tmp_path / "small.h5").read_bytes() == b"data"


def test_a_header_of_safetensors_is_not_read_from_16_mebibytes_on(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes((2**24).to_bytes(8, "little") + b"{" * 10)
    with pytest.raises(WeightsFileError, match="unknown kind"):
        load_weights(target(), path)
    path.write_bytes((2**24 - 1).to_bytes(8, "little") + b"{" * 10)
    with pytest.raises(WeightsFileError, match="cannot be read as weights"):
        load_weights(target(), path)


def test_a_file_of_too_many_arrays_is_not_read(tmp_path, monkeypatch):
    """The limit is lowered to three arrays: it is reached before any of them is looked at."""
    monkeypatch.setattr(zips, "MOST_ENTRIES", 3)
    kinds = ["npz", "pth", "safetensors", "weights.h5", "keras"]
    for count in (3, 4):
        arrays = {str(number): np.zeros(3, "float32") for number in range(count)}
        np.savez(tmp_path / f"{count}.npz", **arrays)
        save_file(arrays, tmp_path / f"{count}.safetensors")
        with h5py.File(tmp_path / f"{count}.weights.h5", "w") as file:
            for number in range(count - 2):  # beside a group and its folder of variables
                file[f"layer/vars/{number}"] = np.zeros(3, "float32")
        for kind, name in (("pth", "net/data.pkl"), ("keras", "config.json")):
            with zipfile.ZipFile(tmp_path / f"{count}.{kind}", "w") as archive:
                for other in (name, *arrays):
                    archive.writestr(other, b"")
    for kind in ("npz", "safetensors", "weights.h5"):
        with pytest.raises(ValueError, match="of no dialect known"):
            load_weights(target(), tmp_path / f"3.{kind}")
    for kind in kinds:
        wanted = rf"4\.{kind} cannot be read as weights: .*4\.{kind} holds more than 3 entries"
        for read in (graph_in, lambda path: load_weights(target(), path)):
            with pytest.raises(WeightsFileError, match=wanted):
                read(tmp_path / f"4.{kind}")
    with pytest.raises(ValueError, match=r"4\.keras holds more than 3 entries"):
        evaluation.opening.saved_model(str(tmp_path / "4.keras"))


def test_attributes_of_an_hdf5_file_are_counted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "MOST_ENTRIES", 3)
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.attrs.update({str(number): number for number in range(4)})
    with pytest.raises(WeightsFileError, match="holds more than 3 entries"):
        load_weights(target(), tmp_path / "weights.h5")


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><p>Not found", b"version https://git-lfs"]
)
def test_files_that_are_something_else_are_named(content, tmp_path):
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(WeightsFileError, match=r"unknown kind|web page|Git LFS"):
        load_weights(target(), tmp_path / "weights.pth")
