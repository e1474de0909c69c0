"""Errors by the protocols: on real networks and real images, and on input that is wrong."""

import json

import keras
import numpy as np
import pytest
from support.evaluation import (
    CLASSES,
    Cifar,
    Collection,
    collection,
    encoded,
    picture,
    run,
    small_network,
    small_rule,
    softmax,
)

import keras_resnet
from keras_resnet.evaluation import PROTOCOLS, evaluate, read

AKAMASTER = "cifar_resnet{}.akamaster"


@pytest.fixture(scope="module")
def small():
    return small_network()


def trained(depth, shared_data):
    model = keras_resnet.build(f"cifar_resnet{depth}", shortcut="A", zero_channels="center")
    keras_resnet.load_weights(model, shared_data / f"cifar-resnet{depth}.th")
    return model


def reference(shared_data, every):
    """The logits that the trainers' own code gives, and the labels."""
    found = []
    for depth in (20, 32):
        with np.load(shared_data / f"cifar-resnet{depth}-logits.npz") as file:
            found.append(file["logits"][::every].astype("float64"))
            labels = file["labels"][::every]
    return found, labels


def independent(scores, labels):
    """Top-1 and top-5 error in per cent, and its interval by Wilson's quadratic equation."""
    order = np.argsort(-scores, axis=1, kind="stable")
    found = []
    for k in (1, 5):
        wrong = sum(label not in row[:k] for row, label in zip(order, labels, strict=True))
        n, p, z2 = len(labels), wrong / len(labels), 1.959963984540054**2
        # The rates whose distance from p is z standard errors: (p - r)^2 = z^2 r (1 - r) / n.
        ends = np.sort(np.roots([1 + z2 / n, -(2 * p + z2 / n), p**2]))
        found.append((100 * p, 100 * ends))
    return found


@pytest.mark.parametrize("every", [50, pytest.param(1, marks=pytest.mark.slow)])
def test_real_networks_have_the_errors_of_their_trainers_own_code(every, shared_data):
    """18.97 % and 17.44 % on all 10,000 images, and the two together are better than either."""
    pytest.importorskip("torch", reason="these weights are a torch pickle")
    data = Cifar(shared_data, every)
    logits, labels = reference(shared_data, every)
    models = [trained(depth, shared_data) for depth in (20, 32)]
    records = [AKAMASTER.format(depth) for depth in (20, 32)]
    options = {"batch_size": 200, "verbose": 0}
    found = [
        evaluate(models[0], data, "1-crop", records[0], **options),
        evaluate(models[1], data, "1-crop", records[1], **options),
        evaluate(models, data, "1-crop", records, **options),
        evaluate(models, data, "1-crop", records, average="logits", **options),
    ]
    scores = [*logits, sum(map(softmax, logits)), sum(logits)]
    for evaluation, expected in zip(found, scores, strict=True):
        np.testing.assert_array_equal(evaluation.labels, labels)
        top1, top5 = independent(expected, labels)
        for name, (error, interval) in (("top1", top1), ("top5", top5)):
            assert evaluation.record[name]["error"] == pytest.approx(error, abs=1e-9)
            np.testing.assert_allclose(evaluation.record[name]["interval_95"], interval, atol=1e-9)
        np.testing.assert_array_equal(evaluation.predicted, expected.argmax(axis=1))
    assert found[2].top1_error < min(found[0].top1_error, found[1].top1_error)
    if every == 1:
        assert round(found[0].top1_error, 2) == 18.97
        assert round(found[1].top1_error, 2) == 17.44


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_image_counts_once_whatever_the_batch_size(protocol, small):
    if protocol in ("144-crop", "multi-scale") and keras.backend.backend() != "torch":
        pytest.skip("one backend will do for the largest")
    data = collection(5)
    sizes = (3, 7) if protocol != "144-crop" else (100,)
    found = [run(small, data, protocol, batch_size=size) for size in sizes]
    for evaluation in found:
        assert evaluation.images == evaluation.record["top1"]["images"] == 5
        assert np.sum(evaluation.record["confusion"]) == 5
        np.testing.assert_allclose(
            evaluation.arrays["confidence"], found[0].arrays["confidence"], rtol=1e-4
        )


def test_images_of_many_sizes_are_evaluated_densely(small):
    sizes = ((40, 50), (50, 40), (33, 33), (40, 50), (64, 32))
    files = [encoded(picture(*shape, label=str(shape))) for shape in sizes]
    found = run(small, Collection(files, [0] * 5, "abcdefg"), "dense", batch_size=2)
    assert found.arrays["done"].all()
    np.testing.assert_allclose(*found.arrays["confidence"][[0, 3]], rtol=1e-4)


def test_scores_are_averaged_as_softmax_or_as_logits(small):
    data = collection(4)
    logits = keras.Model(small.input, small.layers[-1].input)
    kernel, bias = small.layers[-1].get_weights()
    from keras_resnet.evaluation import Geometry
    from keras_resnet.evaluation.geometry import views

    shown = [
        views(picture(40, 50, label=f"picture {i}"), Geometry(PROTOCOLS["10-crop"], 32, 36))
        for i in range(4)
    ]
    x = keras_resnet.preprocess_input(np.concatenate(shown), "tv").astype("float32")
    each = (logits.predict(x, verbose=0) @ kernel + bias).reshape(4, 10, CLASSES)
    expected = {"softmax": softmax(each).mean(1), "logits": softmax(each.mean(1))}
    for average, scores in expected.items():
        found = run(small, data, "10-crop", average=average)
        np.testing.assert_allclose(found.arrays["confidence"], scores.max(1), rtol=1e-3)


def test_a_network_may_normalise_inside_or_give_logits(small):
    data = collection(6)
    inside = keras_resnet.build("cifar_resnet8", classes=CLASSES, include_preprocessing=True)
    inside.set_weights([*inside.get_layer("preprocessing").get_weights(), *small.get_weights()])
    linear = keras_resnet.build("cifar_resnet8", classes=CLASSES, classifier_activation=None)
    linear.set_weights(small.get_weights())
    expected = run(small, data).arrays["confidence"]
    for model in (inside, linear):
        np.testing.assert_allclose(run(model, data).arrays["confidence"], expected, rtol=1e-3)


def test_arrays_go_the_way_of_files_or_are_taken_as_they_are(small):
    pixels = np.stack([picture(32, 32, label=str(index)) for index in range(4)])
    labels = np.arange(4)
    files = Collection([encoded(image) for image in pixels], labels, "abcdefg")
    ready = keras_resnet.preprocess_input(pixels, "tv")
    found = [
        run(small, files, record=small_rule(None)).arrays["confidence"],
        run(small, (pixels, labels), record=small_rule(None)).arrays["confidence"],
        evaluate(small, (ready, labels), verbose=0).arrays["confidence"],
    ]
    for confidence in found[1:]:
        np.testing.assert_allclose(confidence, found[0], rtol=1e-5)


# ---- Long runs ---------------------------------------------------------------


class Interrupted(Collection):
    """Reads so many files and then stops, as a user or a power cut would."""

    def __init__(self, whole, stop):
        super().__init__(whole.files, whole.labels, whole.class_names)
        self.stop = stop

    def read(self, index):
        if len(self.reads) == self.stop:
            raise KeyboardInterrupt
        return super().read(index)


def test_a_run_goes_on_where_it_was_stopped(small, tmp_path, capsys):
    data, out = collection(40), tmp_path / "results.json"
    options = {"batch_size": 4, "workers": 1}
    with pytest.raises(KeyboardInterrupt):
        run(small, Interrupted(data, 30), out=out, **options)
    assert not out.exists()
    with np.load(out.with_suffix(".npz")) as file:
        done = file["done"].copy()
    assert 20 <= done.sum() < 30
    found = run(small, data, out=out, thumbnails=0, verbose=1, **options)
    printed = capsys.readouterr().out
    assert f"{done.sum()} of 40 images are measured already" in printed
    assert f"{40 - done.sum()}/{40 - done.sum()}" in printed, "the bar is of what was left"
    assert sorted(data.reads) == list(np.flatnonzero(~done))
    whole = run(small, collection(40), thumbnails=0, **options)
    for name, values in whole.arrays.items():
        np.testing.assert_array_equal(values, found.arrays[name])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.npz"]


def test_results_that_are_there_are_read_not_measured_again(small, tmp_path):
    data, out = collection(5), tmp_path / "results.json"
    first = run(small, data, out=out)
    reads = len(data.reads)
    again = run(small, data, out=out)
    assert len(data.reads) == reads
    assert again.record == json.loads(out.read_text())
    np.testing.assert_array_equal(again.predicted, first.predicted)
    assert read(out).top1_error == first.top1_error


@pytest.mark.parametrize("finished", [True, False])
def test_results_of_another_configuration_are_not_written_over(finished, small, tmp_path):
    data, out = collection(5), tmp_path / "results.json"
    run(small, data, out=out)
    if not finished:
        out.unlink()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = keras.models.clone_model(small)
    for changed in (
        {"protocol": "10-crop"},
        {"average": "logits"},
        {"model": other},
        {"data": collection(4)},
        {"record": small_rule(interpolation="bicubic")},
    ):
        with pytest.raises(ValueError, match="holds results of another configuration"):
            run(**{"model": small, "data": data, "out": out} | changed)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_damaged_file_of_partial_results_is_named(small, tmp_path):
    (tmp_path / "results.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ValueError, match=r"results.npz cannot be read: move it away"):
        run(small, collection(2), out=tmp_path / "results.json")
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"other.json holds no results of an evaluation"):
        run(small, collection(2), out=tmp_path / "other.json")


# ---- Results ------------------------------------------------------------------


@pytest.mark.once
def test_the_results_name_what_was_confused_and_show_it(small, tmp_path):
    data = collection(9)
    found = run(small, data, out=tmp_path / "results.json", thumbnails=3).record
    pairs = sum(pair["images"] for pair in found["confusion_pairs"])
    assert pairs == found["top1"]["wrong"] == 9 - np.trace(found["confusion"])
    confidences = [mistake["confidence"] for mistake in found["mistakes"]]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) == 3
    assert all(row["thumbnail"].startswith("data:image/png;base64,") for row in found["mistakes"])
    assert sum(row["wrong"] for row in found["per_class"]) == found["top1"]["wrong"]
    assert found["configuration"]["protocol"]["name"] == "1-crop"
    assert "top-1 error" in str(read(tmp_path / "results.json"))


@pytest.mark.once
def test_a_bar_shows_how_far_it_is(small, capsys):
    evaluate(small, collection(60), "1-crop", small_rule(), batch_size=4)
    printed = capsys.readouterr().out
    assert "60/60" in printed
    assert printed.count("top-1 error") <= 3, "a file gets no line for every batch"
