"""Batches are functions of (seed, step), and augmentation one of (seed, epoch, index)."""

import numpy as np
import pytest

from keras_resnet.data.arrays import ArrayBatches, PadCropFlip
from keras_resnet.data.mixing import Mixing, mixed
from keras_resnet.data.order import Order, keys, normals, uniforms

pytestmark = pytest.mark.once


def arrays(n=40, **options) -> ArrayBatches:
    x = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), "uint8")
    x[:, 0, 0, 0] = np.arange(n)
    options = {"batch_size": 8, "seed": 3, "augment": PadCropFlip(2)} | options
    return ArrayBatches(x, np.arange(n) % 5, **options)


def assert_same(found, expected):
    found, expected = list(found), list(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mixing", [None, Mixing(0.2, 1.0)])
def test_resuming_gives_the_tail(mixing):
    data = arrays(mixing=mixing)
    whole = list(data.batches(0, 12))
    assert len(whole) == 12
    for step in (1, 5, 7):
        assert_same(data.batches(step, 12), whole[step:])


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("mixing", [None, Mixing(0.2, 1.0)])
def test_parts_of_a_batch_make_it_whole(mixing, repeats):
    data = arrays(mixing=mixing, repeats=repeats)
    parts = [data.shard(i, 4) for i in range(4)]
    for whole, *of_it in zip(
        data.batches(0, 6), *(part.batches(0, 6) for part in parts), strict=True
    ):
        for array, *pieces in zip(whole, *of_it, strict=True):
            np.testing.assert_array_equal(array, np.concatenate(pieces))


def test_augmentation_does_not_depend_on_the_batch_size():
    one, other = arrays(batch_size=8), arrays(batch_size=4)
    first = np.concatenate([x for x, _ in one.batches(0, 10)])
    second = np.concatenate([x for x, _ in other.batches(0, 20)])
    np.testing.assert_array_equal(first, second)


def test_an_epoch_has_every_image_once_in_an_order_of_its_own():
    data = arrays(augment=None)
    epochs = [
        np.concatenate([x[:, 0, 0, 0] for x, _ in data.batches(5 * e, 5 * e + 5)]).tolist()
        for e in range(2)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(40))
    assert epochs[0] != epochs[1] != list(range(40))
    other = arrays(augment=None, seed=4)
    assert next(other.batches())[0][:, 0, 0, 0].tolist() != epochs[0][:8]


def test_the_remainder_of_an_epoch_is_dropped():
    data = arrays(n=43, augment=None)
    assert data.steps_per_epoch == 5
    taken = [set(np.concatenate([x[:, 0, 0, 0] for x, _ in data.batches(5 * e, 5 * e + 5)]))
             for e in range(2)]  # fmt: skip
    assert [len(one) for one in taken] == [40, 40]
    assert taken[0] != taken[1]


def test_batches_go_on_without_end():
    batches = arrays().batches(start=1_000_000)
    assert next(batches)[0].shape == (8, 8, 8, 3)


def test_an_image_is_cut_from_its_padded_self_or_its_mirror_image():
    data = arrays(augment=PadCropFlip(2))
    plain = arrays(augment=None)
    seen = set()
    for (x, y), (original, labels) in zip(data.batches(0, 40), plain.batches(0, 40), strict=True):
        np.testing.assert_array_equal(y, labels)
        for image, source in zip(x, original, strict=True):
            padded = np.pad(source, ((2, 2), (2, 2), (0, 0)))
            found = [
                (top, left, mirrored)
                for top in range(5)
                for left in range(5)
                for mirrored in (False, True)
                if np.array_equal(
                    image, padded[top : top + 8, left : left + 8][:, :: -1 if mirrored else 1]
                )
            ]
            assert len(found) == 1
            seen.update(found)
    assert len(seen) == 50  # each of 5 x 5 places, mirrored or not


def test_draws_are_those_that_splitmix64_is_published_with():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    draws = uniforms(np.uint64(1234567), 3)
    assert (draws * 2**53).astype("uint64").tolist() == [draw >> 11 for draw in published]


def test_draws_are_as_they_should_be_distributed():
    draws = uniforms(keys(0, np.arange(20_000)), 6)
    assert draws.min() >= 0
    assert draws.max() < 1
    np.testing.assert_allclose(draws.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(np.corrcoef(draws.T), np.eye(6), atol=0.03)
    normal = normals(draws)
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(normal.std(axis=0), 1, atol=0.02)


def test_order_and_draws_are_those_of_every_release():
    """A resumed run may run on a later release: these numbers never change."""
    order = Order(10, 4, seed=7)
    assert order.at(np.arange(8)).image.tolist() == [6, 3, 9, 1, 2, 0, 5, 7]
    assert order.at(np.arange(4)).key.tolist()[:2] == KEYS
    drawn = Mixing(0.1, 1.0).drawn(7, 3, 224, 224)
    assert (round(drawn.kept, 12), drawn.box) == DRAWN


KEYS = [13147919974117287240, 9796318241434243284]
DRAWN = (0.028799229304, (0, 0, 0, 0))


def test_repeats_are_of_the_same_image_and_never_neighbors():
    data = arrays(repeats=3, augment=None, batch_size=8)
    assert data.steps_per_epoch == 5
    taken = [x[:, 0, 0, 0].tolist() for x, _ in data.batches(0, 5)]
    for batch in taken:
        assert all(a != b for a, b in zip(batch[::2], batch[1::2], strict=True))
    counts = np.bincount(np.concatenate(taken))
    assert sorted(counts[counts > 0].tolist()) == [1] + [3] * 13  # 40 = 13 * 3 + 1
    different = {x.tobytes() for batch in arrays(repeats=3).batches(0, 5) for x in batch[0]}
    assert len(different) > 36


def test_labels_of_mixed_images_are_of_both():
    data, plain = arrays(mixing=Mixing(mixup=0.4), augment=None), arrays(augment=None)
    for step, ((x, y), (original, labels)) in enumerate(
        zip(data.batches(0, 4), plain.batches(0, 4), strict=True)
    ):
        kept = data.mixing.drawn(3, step, 8, 8).kept
        partner = np.arange(8) ^ 1
        blend = kept * original + (1 - kept) * original[partner]
        assert np.abs(blend - x).max() <= 0.51
        assert x.dtype == "uint8"
        np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
        different = labels != labels[partner]
        rows = np.arange(8)[different]
        np.testing.assert_allclose(y[rows, labels[rows]], kept, rtol=1e-6)
        np.testing.assert_allclose(y[rows, labels[partner][rows]], 1 - kept, rtol=1e-6)


def test_what_cutmix_puts_in_counts_for_the_label():
    data, plain = arrays(mixing=Mixing(cutmix=1.0), augment=None), arrays(augment=None)
    for step, ((x, _), (original, _)) in enumerate(
        zip(data.batches(0, 20), plain.batches(0, 20), strict=True)
    ):
        drawn = data.mixing.drawn(3, step, 8, 8)
        own = (x == original).all(axis=-1)
        other = (x == original[np.arange(8) ^ 1]).all(axis=-1)
        assert (own | other).all()
        assert own.mean() == pytest.approx(drawn.kept, abs=0.01)


def test_both_ways_of_mixing_are_drawn():
    mixing = Mixing(0.2, 1.0)
    cuts = [mixing.drawn(0, step, 64, 64).cuts for step in range(200)]
    assert 70 < sum(cuts) < 130
    assert not any(Mixing(mixup=0.2).drawn(0, step, 64, 64).cuts for step in range(20))
    kept = [Mixing(cutmix=1.0).drawn(0, step, 64, 64).kept for step in range(400)]
    # For a center and a part that are uniform: 1 - 2 (1/4 - 1/10 + 1/96), as boxes hang over edges.
    assert np.mean(kept) == pytest.approx(0.679, abs=0.04)


def test_floats_are_mixed_without_rounding():
    x = np.array([0.0, 1.0], "float32").reshape(2, 1, 1, 1)
    drawn = Mixing(mixup=0.4).drawn(0, 0, 1, 1)
    blend, labels = mixed(x, np.array([0, 1]), drawn, 2)
    assert blend.ravel()[0] == pytest.approx(1 - drawn.kept)
    np.testing.assert_allclose(labels[0], [drawn.kept, 1 - drawn.kept], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 41}, "as many images as a batch has. Received: 40 images, batch_size=41"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer. Received: batch_size=0"),
        ({"repeats": 0}, "`repeats` must be a positive integer"),
        ({"seed": -1}, "`seed` must be from 0 to .* Received: seed=-1"),
        ({"classes": 4}, "`y` must be from 0 to 3. Received: 0 to 4"),
        ({"batch_size": 7, "mixing": Mixing(0.1)}, "mixed in pairs.* Received: 7"),
    ],
)
def test_batches_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        arrays(**options)


def test_parts_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"multiple of the number of processes. Received: .*8.*3"):
        arrays().shard(0, 3)
    with pytest.raises(ValueError, match=r"`index` must be in \[0, count\)"):
        arrays().shard(2, 2)
    with pytest.raises(ValueError, match="This is part 1 of 2 already"):
        arrays().shard(1, 2).shard(0, 2)
    with pytest.raises(ValueError, match="mixed in pairs"):
        arrays(mixing=Mixing(0.1)).shard(0, 8)
    with pytest.raises(ValueError, match=r"and one of them more. Received: mixup=0.0"):
        Mixing()
    with pytest.raises(ValueError, match="`y` must be 2 integers"):
        ArrayBatches(np.zeros((2, 1, 1, 1)), np.zeros((2, 1)), 1)
