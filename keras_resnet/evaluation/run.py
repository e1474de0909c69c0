"""Evaluation from images to errors: every image once, in whatever batches."""

import collections
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import write_json
from keras_resnet.data.ranking import ranks
from keras_resnet.evaluation import results
from keras_resnet.evaluation.contenders import (
    Average,
    Contender,
    Outputs,
    check_classifier,
    softmax,
)
from keras_resnet.evaluation.geometry import views
from keras_resnet.evaluation.images import source_of
from keras_resnet.evaluation.progress import Bar, Progress, refuse_other_results
from keras_resnet.evaluation.protocols import Protocol, as_dict, protocol_named
from keras_resnet.evaluation.results import Evaluation
from keras_resnet.evaluation.sums import Sums
from keras_resnet.networks.paper import is_count

SAVE_EVERY = 60  # seconds


@checked()
def evaluate(
    model: keras.Model | Sequence[keras.Model],
    data: Any,
    protocol: str | Protocol = "1-crop",
    weights_record: Any = None,
    *,
    average: Average = "softmax",
    outputs: Outputs = "auto",
    batch_size: int | None = None,
    out: str | Path | None = None,
    workers: int = 4,
    verbose: int = 1,
    thumbnails: int = 24,
    comment: str = "",
    training: Sequence[dict[str, Any] | None] = (),
) -> Evaluation:
    """Measures the error of a network, or of several together, by a protocol of the paper.

    Args:
        model: a functional classifier, with or without softmax; a list is an ensemble, whose
            scores are averaged.
        data: a collection of image files (`keras_resnet.data.open_images`), or a pair of arrays
            (images, labels): images uint8 (n, height, width, 3), which are resized and
            normalized as files are, or of floating point, which are taken as they are.
        protocol: a name of `PROTOCOLS`: `"1-crop"`, `"10-crop"`, `"dense"`, `"multi-scale"`,
            `"144-crop"`; or a `Protocol` of your own.
        weights_record: what the weights expect of an image: a record of `list_weights()` or its
            id, or an `ImageRule`; for an ensemble one for all or a list. None where the model
            was built with `include_preprocessing=True`, or images are normalized arrays.
        average: what is averaged over views, positions and models: `"softmax"` or `"logits"`.
        outputs: `"logits"` or `"probabilities"`, where the last layer does not show it.
        batch_size: views that go through a network together; 32, or 4 of dense ones, by default.
        out: path of the results' JSON. What is known of each image is kept beside it, as .npz,
            and saved every minute: the same call continues where it was stopped.
        workers: threads that decode and resize.
        verbose: 1 shows a progress bar, 0 nothing.
        thumbnails: how many of the most confident mistakes are kept with a small picture.
        comment: kept with the results, such as where the images are from.
        training: kept with the results: how each model was trained, as data for `json`.

    Returns:
        An `Evaluation`.

    Raises:
        ValueError: an argument is not accepted, models of an ensemble have other classes, an
            image cannot be read or its label is of no class (the message names it), or `out`
            holds results of something else.
        ImportError: image files are given and Pillow is missing.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", include_preprocessing=True)
    >>> images = np.zeros((5, 32, 32, 3), "uint8")
    >>> evaluate(model, (images, [0, 1, 2, 3, 4]), verbose=0).images
    5
    """
    started = time.monotonic()
    protocol = protocol_named(protocol)
    check_counts(batch_size, workers)
    if out is not None and Path(out).suffix != ".json":
        raise ValueError(f"`out` must be the path of a .json file. Received: out={str(out)!r}")
    models = list(model) if isinstance(model, list | tuple) else [model]
    classes = same_classes(models)
    source = source_of(data, classes)
    contenders = [
        Contender(network, protocol, record, average, outputs, getattr(source, "whole", False))
        for network, record in zip(models, records_for(models, weights_record), strict=True)
    ]
    configuration = {
        "protocol": as_dict(protocol),
        "average": average,
        "outputs": outputs,
        "models": [contender.describe() for contender in contenders],
        "data": source.describe() | {"classes": classes, "sha256": labels_digest(source)},
        "backend": keras.backend.backend(),
    }
    if finished := earlier(out, configuration):
        return finished
    progress = Progress(
        source.labels, configuration, Path(out).with_suffix(".npz") if out else None
    )
    progress.resume()
    size = batch_size or (4 if protocol.views == "dense" else 32)
    measure(contenders, source, progress, size, workers, verbose)
    record = results.summary(source, progress, configuration)
    record["seconds"] = round(time.monotonic() - started, 1)
    record |= {"comment": comment, "training": list(training)} if training else {"comment": comment}
    record["mistakes"] = results.mistakes(source, progress, thumbnails)
    if out:
        write_json(out, record)
    return Evaluation(record, source.labels, dict(progress.arrays))


def check_counts(batch_size, workers) -> None:
    if batch_size is not None and not is_count(batch_size):
        raise ValueError(
            f"`batch_size` must be a positive integer or None. Received: batch_size={batch_size!r}"
        )
    if not is_count(workers):
        raise ValueError(f"`workers` must be a positive integer. Received: workers={workers!r}")


def same_classes(models: Sequence[keras.Model]) -> int:
    """How many classes the models have."""
    if not models:
        raise ValueError("`model` must be a model or a list of them. Received: an empty list")
    for model in models:
        check_classifier(model)
    classes = {int(model.output.shape[-1]) for model in models}
    if len(classes) > 1:
        each = ", ".join(f"{model.name}: {model.output.shape[-1]}" for model in models)
        raise ValueError(f"The models of an ensemble must have the same classes. Received: {each}")
    return classes.pop()


def records_for(models: Sequence[keras.Model], record: Any) -> list[Any]:
    """One record for each model."""
    if not isinstance(record, list | tuple):
        return [record] * len(models)
    if len(record) != len(models):
        raise ValueError(
            f"`weights_record` must be one, or one for each of {len(models)} models. "
            f"Received: {len(record)}"
        )
    return list(record)


def labels_digest(source) -> str:
    """Identifies a collection by the names and the labels of their images."""
    found = hashlib.sha256()
    for index, label in enumerate(source.labels):
        found.update(f"{source.name(index)}\t{label}\n".encode())
    return found.hexdigest()


def earlier(out, configuration) -> Evaluation | None:
    """The results that are there already.

    Raises:
        ValueError: they are of another configuration.
    """
    if out is None or not Path(out).exists():
        return None
    try:
        record = json.loads(Path(out).read_text())
        found = record["configuration"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{out} holds no results of an evaluation; choose another file") from error
    refuse_other_results(out, found, configuration)
    return results.read(out)


def measure(contenders, source, progress: Progress, size: int, workers: int, verbose: int) -> None:
    """Fills `progress` with all images that it lacks; what is known is saved whatever happens."""
    todo = np.flatnonzero(~progress["done"])
    if not len(todo):
        return
    bar = Bar(progress, verbose)
    sums = Sums(contenders, size)
    saved = time.monotonic()
    try:
        for index, shown in shown_images(contenders, source, todo, workers):
            for image, scores in sums.add(index, shown):
                note(progress, image, scores, source.labels[image], contenders[0].average)
            if time.monotonic() - saved > SAVE_EVERY:
                progress.save()
                saved = time.monotonic()
            bar.show()
        for image, scores in sums.rest():
            note(progress, image, scores, source.labels[image], contenders[0].average)
            bar.show()
    finally:
        progress.save()


def note(progress: Progress, image: int, scores: np.ndarray, label: int, average: str) -> None:
    """Keeps of an image's scores what the results need."""
    probabilities = softmax(scores) if average == "logits" else scores
    best = int(scores.argmax())
    progress.put(
        image,
        predicted=best,
        rank=ranks(scores[None], np.array([label]))[0],
        confidence=probabilities[best],
        true_probability=probabilities[label],
    )


def shown_images(contenders, source, todo, workers: int) -> Iterator[tuple[int, list]]:
    """For each image the views that each contender is shown, made ahead in threads.

    Files are read in one thread, as archives want it.
    """
    geometries = list(dict.fromkeys(contender.geometry for contender in contenders))

    def look(raw, index):
        pixels = source.pixels(raw, index)
        found = {}
        for geometry in geometries:
            try:
                found[geometry] = [pixels] if geometry is None else views(pixels, geometry)
            except ValueError as error:
                raise ValueError(f"{source.name(index)}: {error}") from error
        for contender in contenders:
            for view in found[contender.geometry]:
                contender.check_view(view, source.name(index))
        return [found[contender.geometry] for contender in contenders]

    waiting: collections.deque = collections.deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index in map(int, todo):
                waiting.append((index, pool.submit(look, source.read(index), index)))
                if len(waiting) > 2 * workers:
                    index, ready = waiting.popleft()
                    yield index, ready.result()
            while waiting:
                index, ready = waiting.popleft()
                yield index, ready.result()
        finally:
            pool.shutdown(cancel_futures=True)
