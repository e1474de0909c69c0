"""Errors, with how sure one can be of them, from what was predicted for each image."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_resnet.files.arguments import checked

CONFIDENT = 1.959963984540054  # standard normal quantile for 95 %, two-sided


@checked()
def wilson(wrong: int, images: int) -> tuple[float, float]:
    """The 95 % interval of an error rate, both ends from 0 to 1.

    Wilson's score interval (J. Am. Stat. Assoc. 22, 1927), which Brown, Cai and DasGupta
    recommend (Statistical Science 16, 2001, https://doi.org/10.1214/ss/1009213286): it stays
    within 0 and 1 and holds for few errors too.

    Args:
        wrong: images that were mistaken, from 0 to `images`.
        images: how many there are, at least 1.

    Raises:
        ValueError: numbers that are no count of mistakes.

    Example:

    >>> low, high = wilson(1897, 10_000)
    >>> f"{low:.4f} to {high:.4f}"
    '0.1821 to 0.1975'
    """
    if not 0 <= wrong <= images or images < 1:
        raise ValueError(
            "`wrong` must be from 0 to `images`, which is at least 1. "
            f"Received: wrong={wrong}, images={images}"
        )
    rate, z2 = wrong / images, CONFIDENT**2
    middle = (rate + z2 / (2 * images)) / (1 + z2 / images)
    variance = rate * (1 - rate) / images + z2 / (4 * images**2)
    half = CONFIDENT * math.sqrt(variance) / (1 + z2 / images)
    return max(0.0, middle - half), min(1.0, middle + half)


def error(wrong: int, images: int) -> dict[str, Any]:
    """An error in per cent with its interval."""
    low, high = wilson(wrong, images)
    return {
        "error": 100 * wrong / images,
        "interval_95": [100 * low, 100 * high],
        "wrong": int(wrong),
        "images": int(images),
    }


def per_class(
    labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    """The error of every class that has images, worst first."""
    images = np.bincount(labels, minlength=len(names))
    wrong = np.bincount(labels[labels != predicted], minlength=len(names))
    rows = [
        {"label": int(label), "class": names[int(label)], **error(wrong[label], images[label])}
        for label in np.flatnonzero(images)
    ]
    return sorted(rows, key=lambda row: -row["error"])


def confusion_pairs(
    labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], most: int = 50
) -> list[dict[str, Any]]:
    """Which class is taken for which, most frequent first."""
    wrong = labels != predicted
    pairs, counts = np.unique(
        np.stack([labels[wrong], predicted[wrong]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")[:most]
    found = zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    return [
        {"true": names[true], "predicted": names[taken_for], "images": images}
        for (true, taken_for), images in found
    ]


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts (true, predicted)."""
    flat = np.bincount(labels * classes + predicted, minlength=classes**2)
    return flat.reshape(classes, classes)
