"""A network made ready for a protocol: from views to scores."""

import dataclasses
import hashlib
from typing import Any, Literal

import keras
import numpy as np

from keras_resnet.evaluation.dense import Ending, fully_convolutional, logits_model, positions
from keras_resnet.evaluation.geometry import Geometry
from keras_resnet.evaluation.protocols import Protocol
from keras_resnet.images.preprocessing import normalized
from keras_resnet.layers.finite import where_not_finite
from keras_resnet.weights import graph_options
from keras_resnet.weights.find import record_named
from keras_resnet.weights.records import ImageRule, Record

Average = Literal["softmax", "logits"]
Outputs = Literal["auto", "logits", "probabilities"]
AS_THEY_ARE = ImageRule(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
SUM_OF_ONE = 1e-2  # how far half precision may leave a sum of probabilities from 1


class Contender:
    """One model, the images it expects and how its scores are to be read.

    Args:
        model: a functional classifier.
        protocol: what it is shown.
        record: the weights' record or its id, an `ImageRule`, or None for a model that was built
            with `include_preprocessing=True`.
        average: scores are averaged as `"softmax"` or as `"logits"`.
        outputs: what the model gives, where its last layer does not show it: `"logits"` or
            `"probabilities"`.
        arrays_as_they_are: images are normalized already, whatever the record.

    Raises:
        ValueError: the model is no classifier of RGB images, or it is not known what it expects
            or gives.
    """

    def __init__(
        self,
        model: keras.Model,
        protocol: Protocol,
        record: str | Record | ImageRule | None,
        average: Average = "softmax",
        outputs: Outputs = "auto",
        arrays_as_they_are: bool = False,
    ):
        self.name, self.average = model.name, average
        self.graph = graph_options(model)
        self.record = record.id if isinstance(record, Record) else record
        self.weights_digest = digest(model)
        self.channels_first = keras.config.image_data_format() == "channels_first"
        channels, *sides = image_shape(model, self.channels_first)
        self.sides: tuple[int | None, ...] = tuple(sides)
        self.rule = None if arrays_as_they_are else self.rule_for(model, record, channels)
        self.geometry = None
        if self.rule is not None:
            self.geometry = Geometry.of(protocol, self.rule)
        elif protocol.views != "center":
            raise ValueError(
                "Arrays that are normalized already are taken as they are, by '1-crop' only. "
                f"Received: protocol={protocol.name!r}"
            )
        model, ending = logits_model(model)
        self.gives_logits = reads_as_logits(outputs, ending, self.name)
        if protocol.views == "dense":
            crop = self.rule.size if self.rule and None in sides else None
            model = fully_convolutional(model, self.shape_of(crop, channels) if crop else None)
            self.sides = (None, None)
        self.model, self.classes = model, int(model.output.shape[-1])

    def rule_for(self, model, record, channels: int) -> ImageRule:
        """What the model expects of an image file, at the size that it takes."""
        if channels != 3:
            raise ValueError(
                f"{model.name!r} must take RGB images of 3 channels. Received: {channels} channels"
            )
        inside = any(layer.name == "preprocessing" for layer in model.layers)
        if record is None and not inside:
            raise ValueError(
                f"It is not known what {model.name!r} expects of an image: pass weights_record=, "
                "a record of list_weights() or an ImageRule; only a model that was built with "
                "include_preprocessing=True needs none. Received: weights_record=None"
            )
        if record is None:
            rule = AS_THEY_ARE
        else:
            rule = record if isinstance(record, ImageRule) else record_named(record).image
        if inside:
            rule = dataclasses.replace(rule, mean=AS_THEY_ARE.mean, std=AS_THEY_ARE.std)
        if rule.size is not None and None not in self.sides:
            if self.sides[0] != self.sides[1]:
                raise ValueError(f"{model.name!r} must take squares. Received: {self.sides}")
            rule = dataclasses.replace(rule, size=self.sides[0])
        return rule

    def shape_of(self, size: int, channels: int) -> tuple[int, int, int]:
        return (channels, size, size) if self.channels_first else (size, size, channels)

    def describe(self) -> dict[str, Any]:
        """What makes two evaluations comparable, for `json`."""
        record = self.record if isinstance(self.record, str) else None
        rule = None if self.rule is None else dataclasses.asdict(self.rule)
        return {
            "model": self.name,
            "graph": self.graph,
            "weights": record,
            "weights_sha256": self.weights_digest,
            "image": rule,
        }

    def check_view(self, view: np.ndarray, name: str) -> None:
        """Raises where the network cannot take a view of the image called `name`."""
        rows = 1 if self.rule is None and self.channels_first else 0
        for side, wanted in zip(view.shape[rows : rows + 2], self.sides, strict=True):
            if wanted is not None and side != wanted:
                raise ValueError(
                    f"{name} does not fit {self.name!r}, which takes {self.sides}. "
                    f"Received: an image of shape {view.shape}"
                )

    def scores(self, views: list[np.ndarray], size: int) -> np.ndarray:
        """Scores (views, classes), float64: the mean over positions where there are several.

        Views are of one shape. A batch is filled up to `size` with blank images, which are not
        looked at, so that compiled backends compile one shape of batch.
        """
        batch = np.stack(views)
        if self.rule is not None:
            batch = normalized(batch.astype("float32"), self.rule, channels_first=False)
            if self.channels_first:
                batch = batch.transpose(0, 3, 1, 2)
        if len(batch) < size:
            blank = np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)
            batch = np.concatenate([batch, blank])
        outputs = np.asarray(self.model.predict_on_batch(batch), "float64")
        scores = positions(outputs[: len(views)])
        if not np.isfinite(scores).all():
            bad = ~np.isfinite(scores).all((1, 2))
            where = where_not_finite(self.model, batch[: len(views)][bad][:1])
            raise ValueError(
                f"{self.name!r} gave scores that are not finite numbers, which begin in {where}"
            )
        if self.gives_logits:
            scores = scores if self.average == "logits" else softmax(scores)
        else:
            check_probabilities(scores, self.name)
            if self.average == "logits":
                scores = np.log(np.maximum(scores, np.finfo("float32").tiny))
        return scores.mean(axis=1)


def check_classifier(model) -> None:
    if not isinstance(model, keras.Model) or len(getattr(model, "inputs", ())) != 1:
        raise ValueError(
            "`model` must be a functional Keras model of one image, or a list of such. "
            f"Received: {type(model).__name__}"
        )
    if len(model.inputs[0].shape) != 4 or len(model.outputs) != 1:
        raise ValueError(
            "`model` must take images (batch, height, width, channels). "
            f"Received: {model.name!r} with an input of shape {model.inputs[0].shape}"
        )
    if len(model.output.shape) != 2 or not model.output.shape[-1]:
        raise ValueError(
            "`model` must give one vector of scores, (batch, classes). "
            f"Received: {model.name!r} with an output of shape {model.output.shape}"
        )


def image_shape(model, channels_first: bool) -> tuple[int, int | None, int | None]:
    """Channels, height and width of the model's images."""
    shape = model.input.shape[1:]
    return (shape[0], shape[1], shape[2]) if channels_first else (shape[2], shape[0], shape[1])


def reads_as_logits(outputs: Outputs, ending: Ending, name: str) -> bool:
    """Whether what comes out, a softmax having been taken off, are logits.

    For a linear layer the caller's word is taken, and checked against the values.
    """
    if outputs == "auto" and ending == "unknown":
        raise ValueError(
            f"The last layer of {name!r} is neither linear nor a softmax: say with outputs= "
            "whether it gives 'logits' or 'probabilities'. Received: outputs='auto'"
        )
    if outputs == "logits" and ending == "softmax":
        raise ValueError(
            f"{name!r} ends in a softmax and gives probabilities. Received: outputs='logits'"
        )
    return ending == "softmax" or outputs == "logits" or (outputs == "auto" and ending == "linear")


def check_probabilities(scores: np.ndarray, name: str) -> None:
    sums = scores.sum(axis=-1)
    if (scores < 0).any() or np.abs(sums - 1).max() > SUM_OF_ONE:
        raise ValueError(
            f"{name!r} must give probabilities, at least 0 and adding up to 1; for logits pass "
            f"outputs='logits'. Received: scores from {scores.min():.3g} to {scores.max():.3g} "
            f"that add up to {sums.min():.3g} to {sums.max():.3g}"
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def digest(model: keras.Model) -> str:
    """sha256 of all weights, in the order of the model."""
    found = hashlib.sha256()
    for variable in model.weights:
        value = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
        found.update(f"{variable.path} {value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    return found.hexdigest()
