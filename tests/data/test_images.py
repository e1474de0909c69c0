"""Image files on their way into batches: what is decoded, augmented, replaced and refused."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from support.pictures import GOOD, InMemory, batches, packed, picture, whole_jpeg

pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")
import tensorflow as tf  # noqa: E402

from keras_resnet.data import open_images  # noqa: E402
from keras_resnet.data.augmentation import Augmentation, CenterCrop  # noqa: E402
from keras_resnet.data.mixing import Mixing, mixed  # noqa: E402
from keras_resnet.data.pipeline import (  # noqa: E402
    BadImageError,
    EvaluationBatches,
    ImageBatches,
)
from keras_resnet.data.randaugment import RandAugment  # noqa: E402

pytestmark = pytest.mark.once


BAD = {
    "truncated": whole_jpeg[: len(whole_jpeg) // 2],
    "without tables": whole_jpeg.replace(b"\xff\xdb", b"\xff\xef"),  # found while decoding
    "header only": whole_jpeg[:20] + b"\xff\xd9",
    "zero bytes": b"",
    "text": b"This is no image.",
    "half a png": packed(picture(), "png")[:500],
    "unreadable": OSError("the disk is broken"),
}


def copies(batches) -> list[tuple[np.ndarray, ...]]:
    """Batches that do not share TensorFlow's memory."""
    return [tuple(array.copy() for array in batch) for batch in batches]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


SETTINGS = {
    "area": {},
    "paper": {"augmentation": Augmentation(crop="scale", lighting=0.1)},
    "a2": {
        "augmentation": Augmentation(
            interpolation="bicubic", antialias=True, randaugment=RandAugment(7)
        ),
        "mixing": Mixing(0.1, 1.0),
        "repeats": 3,
    },
    "progressive": {"size": lambda epoch: 16 + 8 * epoch, "mixing": Mixing(0.2)},
}


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_batches_depend_on_seed_and_step_alone(options):
    """Not on the number of workers, of processes, or of steps before."""
    whole = copies(batches(workers=8, **options).batches(0, 8))
    assert len(whole) == 8
    assert_same(copies(batches(workers=1, **options).batches(0, 8)), whole)
    assert_same(copies(batches(**options).batches(5, 8)), whole[5:])
    parts = [copies(batches(**options).shard(i, 2).batches(0, 8)) for i in range(2)]
    joined = [
        tuple(np.concatenate(arrays) for arrays in zip(*halves, strict=True))
        for halves in zip(*parts, strict=True)
    ]
    assert_same(joined, whole)
    other = copies(batches(**{"seed": 6} | options).batches(0, 1))
    assert not np.array_equal(other[0][0], whole[0][0])


def test_augmentation_does_not_depend_on_the_batch_size():
    first = copies(batches(batch_size=4).batches(0, 4))
    second = copies(batches(batch_size=8).batches(0, 2))
    for part in (0, 1):
        np.testing.assert_array_equal(
            np.concatenate([batch[part] for batch in first]),
            np.concatenate([batch[part] for batch in second]),
        )


def test_an_epoch_has_every_label_as_often_as_there_are_images():
    labels = np.concatenate([y for _, y in batches(batch_size=8).batches(0, 2)])
    assert sorted(labels.tolist()) == sorted(n % 3 for n in range(16))
    assert labels.dtype == "int32"


def test_the_size_follows_the_epoch():
    found = [x.shape for x, _ in batches(size=lambda epoch: 16 + 8 * epoch).batches(2, 6)]
    assert found == [(4, 16, 16, 3)] * 2 + [(4, 24, 24, 3)] * 2 or found == [
        (4, 16, 16, 3),
        (4, 16, 16, 3),
        (4, 24, 24, 3),
        (4, 24, 24, 3),
    ]


def test_batches_are_uint8_and_not_copied():
    x, y = next(batches().batches())
    assert x.dtype == "uint8"
    assert not x.flags.owndata
    assert not y.flags.owndata


def test_a_dataset_has_the_same_batches_as_tensors():
    data = batches()
    dataset = data.dataset(1, 3)
    assert dataset.element_spec[0] == tf.TensorSpec((4, 16, 16, 3), "uint8")
    found = [tuple(tensor.numpy() for tensor in batch) for batch in dataset]
    assert_same(found, copies(data.batches(1, 3)))


def test_images_are_mixed_as_arrays_are():
    options = {"augmentation": Augmentation(flip=False), "batch_size": 8}
    mixing = Mixing(0.4, 1.0)
    plain = copies(batches(**options).batches(0, 6))
    for step, (x, y) in enumerate(batches(mixing=mixing, **options).batches(0, 6)):
        expected, labels = mixed(*plain[step], mixing.drawn(5, step, 16, 16), 3)
        assert np.abs(x.astype(int) - expected).max() <= 1  # sums in another order
        assert (x != expected).mean() < 0.01
        np.testing.assert_allclose(y, labels, atol=1e-6)


def test_evaluation_sees_every_image_once_and_fills_up_the_last_batch():
    data = EvaluationBatches(InMemory(GOOD[:10]), 4, size=16, crop=CenterCrop(16))
    assert data.steps_per_epoch == 3
    found = list(data.batches())
    assert [x.shape for x, _, _ in found] == [(4, 16, 16, 3)] * 3
    assert np.concatenate([w for _, _, w in found]).tolist() == [1] * 10 + [0] * 2
    assert np.concatenate([y for _, y, _ in found])[:10].tolist() == [n % 3 for n in range(10)]
    parts = [list(data.shard(i, 2).batches()) for i in range(2)]
    assert [len(part) for part in parts] == [3, 3]  # no process waits for another
    np.testing.assert_array_equal(np.concatenate([parts[0][2][0], parts[1][2][0]]), found[2][0])


def test_the_old_spelling_of_center_crop_is_the_same_class():
    from keras_resnet import data

    assert data.CentreCrop is data.CenterCrop
    assert data.augmentation.CentreCrop is data.CenterCrop


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image_is_named_and_the_next_one_taken(name, caplog):
    files = [*GOOD[:3], BAD[name], *GOOD[3:7]]
    with caplog.at_level(logging.WARNING, "keras_resnet.data"):
        data = batches(files, batch_size=8, workers=1)
        found = copies(data.batches(0, 4))
    assert len(found) == 4
    assert list(data.bad_images) == ["file 3"]
    assert [r.getMessage().split(" is skipped")[0] for r in caplog.records] == [
        "file 3 is not a complete image and"
    ]
    # What stands in for it is image 4, with its own label, in every epoch.
    expected = np.bincount([0, 1, 2, 4 % 3, 1, 2, 0, 1], minlength=3)
    assert all(np.bincount(y, minlength=3).tolist() == expected.tolist() for _, y in found)
    assert_same(copies(batches(files, batch_size=8, workers=4).batches(2, 4)), found[2:])
    with pytest.raises(BadImageError, match="file 3 is not a complete image"):
        list(batches(files, batch_size=8, on_bad_image="fatal").batches(0, 4))


def test_a_bad_image_does_not_count_in_evaluation():
    files = [GOOD[0], BAD["truncated"], BAD["without tables"], GOOD[1]]
    data = EvaluationBatches(InMemory(files), 3, size=16)
    weights = np.concatenate([w.copy() for _, _, w in data.batches()])
    assert weights.tolist() == [1, 0, 0, 1, 0, 0]
    assert sorted(data.bad_images) == ["file 1", "file 2"]


def test_bad_images_side_by_side_that_look_whole_at_both_ends_are_all_named():
    damaged = BAD["without tables"]
    data = batches([*GOOD[:3], damaged, damaged, damaged, *GOOD[3:5]], batch_size=8, workers=1)
    assert len(copies(data.batches(0, 2))) == 2
    assert sorted(data.bad_images) == ["file 3", "file 4", "file 5"]
    assert not any("{{" in reason for reason in data.bad_images.values())


def test_an_image_of_too_many_pixels_is_refused_by_its_header():
    sides = (20_000).to_bytes(4)
    png = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + b"IHDR" + sides + sides
    gif = b"GIF89a" + (20_000).to_bytes(2, "little") * 2
    bmp = b"BM" + bytes(16) + (20_000).to_bytes(4, "little") * 2
    data = batches([*GOOD[:3], png, gif, bmp], batch_size=4, workers=1)
    assert len(copies(data.batches(0, 2))) == 2
    assert all("20000 x 20000 pixels" in reason for reason in data.bad_images.values())
    assert sorted(data.bad_images) == ["file 3", "file 4", "file 5"]


def test_nothing_but_bad_images_is_an_error():
    with pytest.raises(BadImageError, match="None of 4 images can be read"):
        next(batches([b""] * 4).batches())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_bad_image": "ignore"}, "`on_bad_image` must be one of 'skip', 'fatal'"),
        ({"workers": 0}, "`workers` must be at least 1. Received: workers=0"),
        ({"size": 0}, "`size` must be positive. Received: size=0"),
        ({"batch_size": 3, "mixing": Mixing(0.1)}, "mixed in pairs"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        batches(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"crop": "random"},
        {"interpolation": "nearest"},
        {"area": (0.5, 0.1)},
        {"area": (0.5, 1.1)},
        {"ratio": (0.0, 1.0)},
        {"crop": "scale", "shorter": (200, 480)},
    ],
)
def test_augmentations_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="Received: "):
        Augmentation(**options)


def test_files_are_read_where_tensorflow_is_absent_only_up_to_a_clear_error():
    program = """
        import sys
        sys.modules["tensorflow"] = None
        from keras_resnet.data.pipeline import ImageBatches
        from keras_resnet.data import open_images
        try:
            ImageBatches([b""], 1)
        except ImportError as error:
            print(error)
    """
    import textwrap

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert 'pip install "keras3-resnet[tensorflow-cpu]"' in done.stdout, done.stderr


def test_real_photographs_become_batches(shared_data):
    images = open_images(shared_data / "imagenet-sample.zip")
    data = ImageBatches(images, 32, size=64, workers=2)
    assert data.classes == 1000
    assert data.steps_per_epoch == 15
    (x, y), = data.batches(3, 4)  # fmt: skip
    assert x.shape == (32, 64, 64, 3)
    assert 60 < x.mean() < 180
    assert len(set(y.tolist())) == 32  # one image a class
    assert not data.bad_images
