"""Image files on their way into batches: what is decoded, augmented, replaced and refused."""

import io
import logging
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")

import tensorflow as tf  # noqa: E402

from keras_resnet.data import augmentation, open_images  # noqa: E402
from keras_resnet.data.augmentation import Augmentation, CentreCrop  # noqa: E402
from keras_resnet.data.mixing import Mixing, mixed  # noqa: E402
from keras_resnet.data.order import keys  # noqa: E402
from keras_resnet.data.pipeline import (  # noqa: E402
    BadImageError,
    EvaluationBatches,
    ImageBatches,
)
from keras_resnet.data.randaugment import RandAugment  # noqa: E402

pytestmark = pytest.mark.once


def picture(number=0, height=60, width=80) -> np.ndarray:
    """Smooth, and of a colour of its own: JPEG keeps it to a few grey levels."""
    y, x = np.mgrid[:height, :width]
    colour = np.random.default_rng(number).integers(40, 200, 3)
    waves = 25 * np.sin(x / 9 + number)[..., None] + 25 * np.cos(y / 7)[..., None]
    return np.clip(colour + waves, 0, 255).astype("uint8")


def packed(pixels: np.ndarray, form="jpeg", mode=None, **options) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    options = {"quality": 95} | options if form == "jpeg" else options
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


class InMemory:
    """Images as `open_images` gives them, from a list."""

    def __init__(self, files, classes=3):
        self.files, self.class_names = files, tuple("abcdefgh"[:classes])

    def __len__(self):
        return len(self.files)

    def label(self, i):
        return i % len(self.class_names)

    def name(self, i):
        return f"file {i}"

    def read(self, i):
        if isinstance(self.files[i], Exception):
            raise self.files[i]
        return self.files[i]


GOOD = [packed(picture(n, 50 + n, 80 - n)) for n in range(16)]
whole_jpeg = packed(picture(1, 200, 200))
BAD = {
    "truncated": whole_jpeg[: len(whole_jpeg) // 2],
    "without tables": whole_jpeg.replace(b"\xff\xdb", b"\xff\xef"),  # found while decoding
    "header only": whole_jpeg[:20] + b"\xff\xd9",
    "zero bytes": b"",
    "text": b"This is no image.",
    "half a png": packed(picture(), "png")[:500],
    "unreadable": OSError("the disk is broken"),
}
ODD = {
    "grey": (packed(picture(), mode="L"), picture().mean(axis=-1, keepdims=True).repeat(3, -1)),
    "one pixel": (packed(picture(0, 1, 1)), picture(0, 1, 1)),
    "png": (packed(picture(), "png"), picture()),
    "grey png": (packed(picture()[..., 0], "png"), picture()[..., :1].repeat(3, -1)),
    "gif": (packed(picture(), "gif"), picture()),
    "bmp": (packed(picture(), "bmp"), picture()),
    "progressive": (packed(picture(), progressive=True), picture()),
    "cmyk": (packed(picture(), mode="CMYK"), picture()),
}


def batches(files=GOOD, **options) -> ImageBatches:
    return ImageBatches(InMemory(files), **{"batch_size": 4, "size": 16, "seed": 5} | options)


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


# ---- Pixels


def image(transform, data: bytes, size=16, number=0) -> np.ndarray:
    sides = np.array([Image.open(io.BytesIO(data)).size[::-1]])
    drawn = transform.drawn(keys(0, 0, [number]), sides)
    return transform.image(
        tf.constant(data), tf.constant(True), tf.constant(size), tf.constant(drawn.window[0]),
        tf.constant(drawn.flip[0]), tf.constant(drawn.shift[0]),
        tf.constant(drawn.operations[0]), tf.constant(drawn.arguments[0]),
    ).numpy()  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_images_are_decoded_right(name):
    file, pixels = ODD[name]
    data = EvaluationBatches(InMemory([file]), 1, size=32, crop=CentreCrop(32))
    ((x, _, weights),) = data.batches()
    assert weights.tolist() == [1]
    height, width = pixels.shape[:2]
    side = min(height, width)
    expected = Image.fromarray(pixels.astype("uint8")).resize(
        (32 * width // side, 32 * height // side), Image.Resampling.BILINEAR
    )
    left = round((expected.width - 32) / 2)
    expected = np.asarray(expected)[:32, left : left + 32]
    # GIF has 256 colours for the image.
    assert np.abs(x[0].astype(int) - expected).mean() < (12 if name == "gif" else 3)
    ((x, _),) = batches([file] * 4).batches(0, 1)
    assert np.abs(x.mean(axis=(1, 2)) - pixels.mean(axis=(0, 1))).max() < 40


def test_a_part_of_a_jpeg_is_what_the_whole_has_there():
    whole = tf.io.decode_jpeg(whole_jpeg, dct_method="INTEGER_ACCURATE").numpy()
    for window in ([0, 0, 200, 200], [17, 33, 50, 71], [150, 1, 50, 13], [199, 199, 1, 1]):
        part = augmentation.decoded(tf.constant(whole_jpeg), tf.constant(True), tf.constant(window))
        top, left, height, width = window
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_pillow_decodes_the_same_pixels():
    ours = augmentation.decoded(
        tf.constant(whole_jpeg), tf.constant(True), tf.constant([0, 0, 200, 200])
    ).numpy()
    theirs = np.asarray(Image.open(io.BytesIO(whole_jpeg)))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def windows(transform, height=300, width=400) -> np.ndarray:
    sides = np.tile([height, width], (2000, 1))
    found = transform.drawn(keys(1, np.arange(2000)), sides).window
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] >= 1).all()
    assert (found[:, :2] + found[:, 2:] <= [height, width]).all()
    return found


def test_windows_are_of_the_area_and_the_aspect_that_was_asked_for():
    found = windows(Augmentation())
    area = found[:, 2] * found[:, 3] / (300 * 400)
    assert area.min() == pytest.approx(0.08, abs=0.005)
    assert area.max() > 0.97
    # torchvision 0.28's RandomResizedCrop.get_params, 20,000 times: large windows fit less often.
    assert area.mean() == pytest.approx(0.432, abs=0.02)
    assert area.std() == pytest.approx(0.216, abs=0.01)
    ratio = np.log(found[:, 3] / found[:, 2])
    assert np.abs(ratio).max() == pytest.approx(np.log(4 / 3), abs=0.02)
    small = area < 0.4  # these always fit
    assert ratio[small].mean() == pytest.approx(0, abs=0.02)
    assert np.quantile(ratio[small], 0.25) == pytest.approx(-np.log(4 / 3) / 2, abs=0.03)
    place = found[:, :2] / np.maximum([300, 400] - found[:, 2:], 1)
    np.testing.assert_allclose(place.mean(axis=0), 0.5, atol=0.03)


def test_tensorflows_own_windows_are_smaller_as_the_documentation_says():
    areas = []
    for seed in range(400):
        _, (height, width, _), _ = tf.image.stateless_sample_distorted_bounding_box(
            [300, 400, 3], tf.zeros([1, 0, 4]), seed=[seed, 0], min_object_covered=0.0,
            aspect_ratio_range=(3 / 4, 4 / 3), area_range=(0.08, 1.0), max_attempts=10,
            use_image_if_no_bounding_boxes=True,
        )  # fmt: skip
        areas.append(int(height) * int(width) / 120_000)
    assert np.mean(areas) == pytest.approx(0.37, abs=0.02)


@pytest.mark.parametrize(
    ("sides", "window"), [((10, 1000), (0, 493, 10, 13)), ((1000, 10), (493, 0, 13, 10))]
)
def test_the_middle_is_taken_of_an_image_that_no_window_fits(sides, window):
    found = windows(Augmentation(area=(0.5, 1.0)), *sides)
    assert found.tolist() == [list(window)] * 2000
    assert windows(Augmentation(), 1, 1).tolist() == [[0, 0, 1, 1]] * 2000


def test_the_papers_crop_is_of_an_image_resized_to_256_to_480():
    found = windows(Augmentation(crop="scale"))
    assert (found[:, 2] == found[:, 3]).all()
    shorter = 300 * 224 / found[:, 2]
    assert shorter.min() == pytest.approx(256, abs=2)
    assert shorter.max() == pytest.approx(480, abs=3)
    assert shorter.mean() == pytest.approx(368, abs=6)
    centre = found[:, :2] + found[:, 2:] / 2
    np.testing.assert_allclose(centre.mean(axis=0), [150, 200], atol=4)
    assert windows(Augmentation(crop="scale"), 1, 5)[:, 2:].max() == 1


def test_lighting_is_alexnets():
    """p1 a1 l1 + p2 a2 l2 + p3 a3 l3, with a of a standard deviation of 0.1."""
    n = 20_000
    shift = Augmentation(lighting=0.1).drawn(keys(0, np.arange(n)), np.ones((n, 2), int)).shift
    p, values = np.array(augmentation.EIGENVECTORS), np.array(augmentation.EIGENVALUES)
    expected = (25.5 * p * values) @ (25.5 * p * values).T
    np.testing.assert_allclose(np.cov(shift.T), expected, rtol=0.05)
    grey = packed(np.full((8, 8, 3), 128, "uint8"))
    shifts = [
        image(Augmentation(lighting=0.1), grey, 8, n)[0, 0].astype(int) - 128 for n in range(100)
    ]
    assert np.std(shifts) == pytest.approx(np.sqrt(np.diag(expected).mean()), rel=0.2)
    assert image(Augmentation(), grey, 8).tolist() == np.full((8, 8, 3), 128).tolist()


def test_half_of_the_images_are_flipped():
    files = packed(np.arange(0, 240, 4, "uint8")[None, :, None].repeat(60, 0).repeat(3, -1))
    slopes = [np.sign(image(Augmentation(), files, 16, n).astype(int)[0, -1, 0]
                      - image(Augmentation(), files, 16, n).astype(int)[0, 0, 0])
              for n in range(100)]  # fmt: skip
    assert 30 < sum(slope < 0 for slope in slopes) < 70
    unflipped = [image(Augmentation(flip=False), files, 16, n).astype(int) for n in range(20)]
    assert all(x[0, -1, 0] > x[0, 0, 0] for x in unflipped)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_with_antialias_is_pillows(interpolation):
    x = picture(3, 90, 120)
    kind = getattr(Image.Resampling, interpolation.upper())
    theirs = np.asarray(Image.fromarray(x).resize((32, 32), kind)).astype(int)
    ours = augmentation.resized(tf.constant(x), tf.constant(32), interpolation, True)
    assert np.abs(np.round(ours) - theirs).max() <= 1


@pytest.mark.parametrize("rule", ["tv", "tv2"])
def test_evaluation_takes_the_pixels_of_preprocessing(rule):
    import keras_resnet

    layer = keras_resnet.Preprocessing(
        {"tv": "resnet50.tv", "tv2": "resnet50.tv2"}[rule], size=64, normalise=False
    )
    files = [packed(picture(n, 300, 200 + 20 * n), quality=100) for n in range(3)]
    crop = CentreCrop(layer.rule.resize, layer.rule.interpolation)
    ((x, _, _),) = EvaluationBatches(InMemory(files), 3, crop=crop, size=64).batches()
    for ours, file in zip(x, files, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(file)))
        assert np.abs(ours.astype(int) - np.asarray(layer(pixels)).astype(int)).max() <= 2


def test_evaluation_sees_every_image_once_and_fills_up_the_last_batch():
    data = EvaluationBatches(InMemory(GOOD[:10]), 4, size=16, crop=CentreCrop(16))
    assert data.steps_per_epoch == 3
    found = list(data.batches())
    assert [x.shape for x, _, _ in found] == [(4, 16, 16, 3)] * 3
    assert np.concatenate([w for _, _, w in found]).tolist() == [1] * 10 + [0] * 2
    assert np.concatenate([y for _, y, _ in found])[:10].tolist() == [n % 3 for n in range(10)]
    parts = [list(data.shard(i, 2).batches()) for i in range(2)]
    assert [len(part) for part in parts] == [3, 3]  # no process waits for another
    np.testing.assert_array_equal(np.concatenate([parts[0][2][0], parts[1][2][0]]), found[2][0])


# ---- Bad files


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image_is_named_and_the_next_one_taken(name, caplog):
    files = [*GOOD[:3], BAD[name], *GOOD[3:7]]
    with caplog.at_level(logging.WARNING, "keras_resnet.data"):
        data = batches(files, batch_size=8, workers=1)
        found = copies(data.batches(0, 4))
    assert len(found) == 4
    assert list(data.bad_images) == ["file 3"]
    assert [r.getMessage().split(" is skipped")[0] for r in caplog.records] == [
        "file 3 is no whole image and"
    ]
    # What stands in for it is image 4, with its own label, in every epoch.
    expected = np.bincount([0, 1, 2, 4 % 3, 1, 2, 0, 1], minlength=3)
    assert all(np.bincount(y, minlength=3).tolist() == expected.tolist() for _, y in found)
    assert_same(copies(batches(files, batch_size=8, workers=4).batches(2, 4)), found[2:])
    with pytest.raises(BadImageError, match="file 3 is no whole image"):
        list(batches(files, batch_size=8, on_bad_image="fatal").batches(0, 4))


def test_a_bad_image_does_not_count_in_evaluation():
    files = [GOOD[0], BAD["truncated"], BAD["without tables"], GOOD[1]]
    data = EvaluationBatches(InMemory(files), 3, size=16)
    weights = np.concatenate([w.copy() for _, _, w in data.batches()])
    assert weights.tolist() == [1, 0, 0, 1, 0, 0]
    assert sorted(data.bad_images) == ["file 1", "file 2"]


def test_nothing_but_bad_images_is_an_error():
    with pytest.raises(BadImageError, match="None of 4 images can be read"):
        next(batches([b""] * 4).batches())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_bad_image": "ignore"}, "`on_bad_image` must be 'skip' or 'fatal'"),
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
