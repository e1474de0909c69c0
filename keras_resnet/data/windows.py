"""Which part of an image is cut out: windows (top, left, height, width) in pixels, by NumPy."""

import numpy as np

ATTEMPTS = 10
AREA_DRAWS = 2 * ATTEMPTS + 2


def area_windows(
    sides: np.ndarray, uniform: np.ndarray, area: tuple[float, float], ratio: tuple[float, float]
) -> np.ndarray:
    """A part of the area and an aspect ratio by chance: torchvision's RandomResizedCrop.

    The area is uniform and so is the logarithm of the ratio. What does not fit into the image is
    drawn again; after ten times the middle of the image is taken, of the nearest allowed ratio.
    TensorFlow's `sample_distorted_bounding_box` draws the height instead of the area, which gives
    smaller parts: 37 % of an image of 400x300 on average, where this one gives 43 %.

    Args:
        sides: (n, 2) height and width.
        uniform: (n, 22) draws from [0, 1).
        area: smallest and greatest part of the area.
        ratio: smallest and greatest width / height.

    Returns:
        (n, 4) in int64.
    """
    height, width = sides[:, :1], sides[:, 1:]
    low, high = np.log(ratio)
    areas = height * width * (area[0] + (area[1] - area[0]) * uniform[:, :ATTEMPTS])
    ratios = np.exp(low + (high - low) * uniform[:, ATTEMPTS : 2 * ATTEMPTS])
    wide = np.rint(np.sqrt(areas * ratios)).astype("int64")
    tall = np.rint(np.sqrt(areas / ratios)).astype("int64")
    fits = (wide > 0) & (wide <= width) & (tall > 0) & (tall <= height)
    first = fits.argmax(axis=1)[:, None]
    some = fits.any(axis=1)
    # The middle, of the nearest ratio:
    middle_wide = np.minimum(width, np.rint(height * ratio[1])).astype("int64")
    middle_high = np.minimum(height, np.rint(width / ratio[0])).astype("int64")
    chosen_wide = np.where(some, np.take_along_axis(wide, first, 1)[:, 0], middle_wide[:, 0])
    chosen_high = np.where(some, np.take_along_axis(tall, first, 1)[:, 0], middle_high[:, 0])
    extent = np.stack([chosen_high, chosen_wide], axis=1)
    at = np.where(some[:, None], uniform[:, -2:] * (sides - extent + 1), (sides - extent) / 2)
    return np.concatenate([at.astype("int64"), extent], axis=1)


def scale_windows(sides: np.ndarray, uniform: np.ndarray, shorter: tuple[int, int]) -> np.ndarray:
    """The paper's: what a square of 224 pixels has in it once the shorter side is resized.

    In whole pixels of the original, which moves the edges by less than one of its pixels.

    Args:
        sides: (n, 2) height and width.
        uniform: (n, 3) draws from [0, 1): of the length, and of the place.
        shorter: smallest and greatest length of the shorter side, both included.

    Returns:
        (n, 4) in int64.
    """
    length = shorter[0] + np.floor(uniform[:, :1] * (shorter[1] - shorter[0] + 1))
    side = np.maximum(np.rint(sides.min(axis=1, keepdims=True) * 224 / length), 1)
    side = np.minimum(side, sides.min(axis=1, keepdims=True))
    at = np.floor(uniform[:, 1:3] * (sides - side + 1))
    return np.concatenate([at, side, side], axis=1).astype("int64")
