"""Images to compare a file and a model on, where the caller has none."""

import importlib.util
from pathlib import Path

import numpy as np

GIVEN, REAL, MADE_UP = "given images", "photographs", "smooth noise"


def images_for(shape: tuple[int, ...], dtype: str, count: int) -> tuple[np.ndarray, str]:
    """Cuts of photographs where scikit-learn, which has two, and Pillow are installed, else noise.

    Args:
        shape: of one image, with known sides. Those of three channels can be photographs.
        dtype: floats get mean 0 and deviation 1, as normalized images have; uint8 is 0 to 255.
        count: how many.

    Returns:
        The images, and what they are.
    """
    found = photographs() if len(shape) == 3 and 3 in (shape[0], shape[2]) else []
    if not found:
        return sample_images(shape, dtype, count), MADE_UP
    first = shape[2] != 3
    height, width = shape[1:] if first else shape[:2]
    cuts = np.stack([cut(found[n % 2], height, width, n, count) for n in range(count)])
    return scaled(np.moveaxis(cuts, -1, 1) if first else cuts, dtype), REAL


def photographs() -> list:
    """The pictures of scikit-learn, read without importing it, which takes seconds."""
    package = importlib.util.find_spec("sklearn")
    if package is None or importlib.util.find_spec("PIL") is None:
        return []
    from PIL import Image

    folders = (Path(x, "datasets", "images") for x in package.submodule_search_locations or ())
    paths = [path for folder in folders for path in sorted(folder.glob("*.jpg"))]
    return [Image.open(path).convert("RGB") for path in paths] if len(paths) > 1 else []


def cut(picture, height: int, width: int, number: int, count: int) -> np.ndarray:
    """A square of a picture's height, the further to the right the higher its number."""
    side = picture.height
    left = (picture.width - side) * number // max(1, count - 1)
    resized = picture.resize((width, height), box=(left, 0, left + side, side), reducing_gap=2.0)
    return np.asarray(resized, "float64")


def sample_images(shape: tuple[int, ...], dtype: str, count: int = 4) -> np.ndarray:
    """Noise whose spectrum falls with the frequency, so that it is smooth as photographs are."""
    sides = [n for n, side in enumerate(shape) if len(shape) != 3 or side > 4]
    waves = [np.fft.fftfreq(side) * (n in sides) for n, side in enumerate(shape)]
    squares = sum(wave**2 for wave in np.meshgrid(*waves, indexing="ij", sparse=True))
    axes = [1 + side for side in sides]
    noise = np.random.default_rng(0).standard_normal((count, *shape))
    spectrum = np.fft.fftn(noise, axes=axes) / np.sqrt(squares + (0.5 / max(shape)) ** 2)
    return scaled(np.fft.ifftn(spectrum, axes=axes).real, dtype)


def scaled(images: np.ndarray, dtype: str) -> np.ndarray:
    """Images of mean 0 and deviation 1, as the dtype has them."""
    images = (images - images.mean()) / images.std()
    if np.issubdtype(dtype, np.integer):
        return np.clip(128 + 60 * images, 0, 255).astype(dtype)
    return images.astype(dtype)
