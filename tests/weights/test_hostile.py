"""Files of weights that are damaged or mean harm: none is run, followed or unfolded."""

import io
import pickle
import zipfile

import h5py
import numpy as np
import pytest
from support.weights import tiny

from keras_resnet import load_weights, save_weights
from keras_resnet.weights import WeightsFileError

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
            load_weights(tiny(), path)
    np.savez(tmp_path / "payload.npz", **{"conv1.weight": np.array([Payload()], object)})
    with pytest.raises(WeightsFileError, match="declares object"):
        load_weights(tiny(), tmp_path / "payload.npz")


def test_a_plain_pickle_is_no_file_of_weights(tmp_path):
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"conv1.weight": Payload()}))
    with pytest.raises(WeightsFileError, match="unknown kind"):
        load_weights(tiny(), tmp_path / "plain.pkl")


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path):
    path = tmp_path / "weights.h5"
    for link in (h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink("/conv1")):
        save_weights(tiny(), path, "keras_resnet")
        with h5py.File(path, "a") as file:
            del file["fc"]
            file["fc"] = link
        with pytest.raises(WeightsFileError, match="links are not followed"):
            load_weights(tiny(), path)
    save_weights(tiny(), path, "keras_resnet")
    with h5py.File(path, "a") as file:
        del file["fc/fc/kernel:0"]
        file["fc/fc"].create_dataset(
            "kernel:0", (64, 5), "float32", external=[("/etc/passwd", 0, 1280)]
        )
    with pytest.raises(WeightsFileError, match="lies in another file"):
        load_weights(tiny(), path)


def test_a_giant_declared_shape_is_refused_without_memory(tmp_path):
    """10^12 numbers, declared in files of a few kilobytes."""
    path = tmp_path / "weights.h5"
    save_weights(tiny(), path, "keras_resnet")
    with h5py.File(path, "a") as file:
        del file["fc/fc/kernel:0"]
        file["fc/fc"].create_dataset("kernel:0", (10**6, 10**6), "float32", chunks=(64, 64))
    with pytest.raises(ValueError, match="fc/kernel is \\(1000000, 1000000\\)"):
        load_weights(tiny(), path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "giant.npz", "w") as archive:
        archive.writestr("conv1.weight.npy", header.getvalue())
    with pytest.raises(WeightsFileError, match="declares float32"):
        load_weights(tiny(), tmp_path / "giant.npz")


def test_an_archive_that_unfolds_is_not_unfolded(tmp_path):
    pytest.importorskip("torch", reason="torch's files need torch")
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 10**8)
    with pytest.raises(WeightsFileError, match="is compressed"):
        load_weights(tiny(), tmp_path / "bomb.pth")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        data = io.BytesIO()
        np.save(data, np.zeros(10**8, "uint8"))
        archive.writestr("conv1.weight.npy", data.getvalue())
    with pytest.raises(ValueError, match=r"left over|misshapen"):
        load_weights(tiny(), tmp_path / "bomb.npz")


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="torch's files need torch")
    torch.save({"conv1.weight": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "giant.pth")
    with pytest.raises(WeightsFileError, match="more than is stored"):
        load_weights(tiny(), tmp_path / "giant.pth")


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><p>Not found", b"version https://git-lfs"]
)
def test_files_that_are_something_else_are_named(content, tmp_path):
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(WeightsFileError, match=r"unknown kind|web page|Git LFS"):
        load_weights(tiny(), tmp_path / "weights.pth")
