"""Members of a zip file are counted before they are listed, and read as far as they may be."""

import zipfile

import numpy as np
import pytest

from keras_resnet.common import zips

pytestmark = pytest.mark.once


def written(path, *names, content=b"", method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def refused(path, message):
    with pytest.raises(ValueError, match=message), zips.open_zip(path):
        pass


def test_a_list_of_many_members_or_of_long_names_is_not_taken_apart(tmp_path, monkeypatch):
    path = written(tmp_path / "four.zip", *"abcd")
    with zips.open_zip(path) as archive:
        assert archive.namelist() == [*"abcd"]
    with monkeypatch.context() as patch:
        patch.setattr(zips, "MOST_ENTRIES", 3)
        patch.setattr(zipfile, "ZipInfo", None)  # of which zipfile makes one for each member
        refused(path, r"four.zip holds more than 3 entries")
    monkeypatch.setattr(zips, "LARGEST_LIST", 4 * 47 - 1)
    refused(path, r"four.zip lists its members in more than 187 bytes")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_and_a_method_that_takes_memory_are_refused(tmp_path):
    refused(written(tmp_path / "two.zip", "a", "b", "a"), r"two.zip holds a twice")
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = written(tmp_path / "other.zip", "a", method=method)
        refused(path, r"a in .*other.zip is neither stored nor deflated")


def test_a_member_is_unfolded_as_far_as_it_may_be(tmp_path):
    with zips.open_zip(written(tmp_path / "bomb.zip", "a", content=bytes(1000))) as archive:
        assert zips.read_member(archive, "a", 1000) == bytes(1000)
        with pytest.raises(ValueError, match="its a is of more than 999 bytes"):
            zips.read_member(archive, "a", 999)


def test_arrays_are_read_as_numpy_reads_them_and_objects_are_not(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "names": np.array(["x", "yy"])}
    np.savez_compressed(tmp_path / "sound.npz", **arrays)
    found = zips.read_npz(tmp_path / "sound.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    np.savez(tmp_path / "objects.npz", a=np.array([None]))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        zips.read_npz(tmp_path / "objects.npz")
