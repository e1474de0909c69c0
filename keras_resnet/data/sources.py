"""Collections of encoded images: folders, archives and prepared data sets, with one interface."""

import itertools
import os
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from keras_resnet.data.archives import TarImages, ZipImages
from keras_resnet.data.folders import FolderImages, split_called
from keras_resnet.data.prepared import ARCHIVES, PreparedImages, prepared_folder
from keras_resnet.files.arguments import checked


class Images(Protocol):
    """A collection of encoded images with labels, which are read in any order.

    Threads and forked processes may read at the same time. A pickled collection opens its files
    again when it is unpickled.
    """

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class, by label."""
        ...

    def __len__(self) -> int: ...

    def label(self, i: int) -> int:
        """The label of image i, from 0 to `len(class_names) - 1`."""
        ...

    def name(self, i: int) -> str:
        """The path or the member's name of image i, for messages."""
        ...

    def read(self, i: int) -> bytes:
        """The encoded file of image i: JPEG, PNG or another format."""
        ...


@checked()
def open_images(path: str | os.PathLike, split: str | None = None) -> Images:
    """Opens a collection of encoded images. Archives are indexed once and never unpacked.

    Args:
        path: one of
            * a folder with a sub-folder for every class, or with such folders called
              `train`, `val` or `validation`, and `test`; a zip or an uncompressed tar of one;
            * a folder, zip or tar of images whose names begin with ImageNet's synsets,
              such as `n01440764_10026.JPEG`;
            * `ILSVRC2012_img_train.tar`, `ILSVRC2012_img_val.tar` or a folder with these;
            * a data set that TFDS has prepared: its folder, that of its version, or a data
              directory with `imagenet2012` in it.
        split: `"train"`, `"validation"` or `"test"`, where there are several.

    Returns:
        An `Images`. The classes of folders are numbered in the order of their sorted names,
        which for ImageNet's synsets is the order of all public weights. ImageNet's archives
        and loose synset names have all 1,000 classes, whatever part of the images is there.

    Hidden files (`.name`, `__MACOSX`) and files without an image's suffix are ignored. A class
    without images keeps its number, and a warning names it. Links are followed once.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: there are no images, the archive cannot be read at random, or the split is
            absent or has to be chosen. The message names the file.

    Example:

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "val/dog/4.jpg"):
    ...         path = pathlib.Path(folder, name)
    ...         path.parent.mkdir(parents=True, exist_ok=True)
    ...         _ = path.write_bytes(b"an encoded image")
    ...     images = open_images(folder, "validation")
    ...     images.class_names, images.name(1), images.label(1), images.read(1)
    (('cat', 'dog'), 'val/dog/4.jpg', 1, b'an encoded image')
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}")
    if path.is_file():
        return open_archive(path, split)
    if (folder := prepared_folder(path)) is not None:
        return PreparedImages(folder, split)
    if present := {s: path / tar for s, tar in ARCHIVES.items() if (path / tar).is_file()}:
        part = split_called(split or "")
        if part not in present:
            raise ValueError(
                f"`split` must be one of {', '.join(present)} for the archives in {path}. "
                f"Received: split={split!r}"
            )
        return TarImages(present[part])
    return FolderImages(path, split)


@checked()
def open_splits(path: str | os.PathLike, *splits: str) -> tuple[Images, ...]:
    """Opens several parts of a collection, which must have the same classes.

    Labels are numbered within a part: a class that is absent from one would change later labels.

    Args:
        path: see `open_images`.
        splits: of `"train"`, `"validation"` and `"test"`.

    Returns:
        An `Images` for each split.

    Raises:
        ValueError: the parts have different classes; the message lists them.
        FileNotFoundError, ValueError: see `open_images`.

    Example:

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("train/cat/1.jpg", "train/dog/2.jpg", "val/dog/4.jpg"):
    ...         path = pathlib.Path(folder, name)
    ...         path.parent.mkdir(parents=True, exist_ok=True)
    ...         _ = path.write_bytes(b"an encoded image")
    ...     open_splits(folder, "train", "validation")
    Traceback (most recent call last):
    ValueError: The parts of ... differ in their classes: cat is in train and not in validation...
    """
    parts = {split: open_images(path, split) for split in splits}
    differ = [
        f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} in {one} and not in {other}"
        for one, other in itertools.permutations(parts, 2)
        if (missing := sorted(set(parts[one].class_names) - set(parts[other].class_names)))
    ]
    if differ:
        raise ValueError(
            f"The parts of {path} differ in their classes: {'; '.join(differ)}. "
            "A class may be without images in a part, but not without its folder"
        )
    return tuple(parts.values())


def listed(names: Sequence[str], most: int = 20) -> str:
    """
    >>> listed(["cat", "dog", "fox"], most=2)
    'cat, dog and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def open_archive(path: Path, split: str | None) -> Images:
    if zipfile.is_zipfile(path):
        return ZipImages(path, split)
    try:
        with tarfile.open(path, "r:"):
            pass
    except tarfile.TarError as error:
        raise ValueError(
            f"{path} is neither a zip nor an uncompressed tar: {error}. "
            "A compressed tar cannot be read in random order: unpack it, or make a zip of it"
        ) from error
    return TarImages(path, split if path.name not in ARCHIVES.values() else None)


class Part:
    """Some images of a collection.

    Args:
        images: an `Images`.
        chosen: their numbers in it.
    """

    def __init__(self, images: Images, chosen: Iterable[int]):
        self.images, self.chosen = images, [int(i) for i in chosen]
        self.class_names = images.class_names

    def __len__(self) -> int:
        return len(self.chosen)

    def label(self, i: int) -> int:
        return self.images.label(self.chosen[i])

    def name(self, i: int) -> str:
        return self.images.name(self.chosen[i])

    def read(self, i: int) -> bytes:
        return self.images.read(self.chosen[i])


@checked()
def hold_out(images: Images, fraction: float = 0.2, seed: int = 0) -> tuple[Part, Part]:
    """Splits a collection into images for training and images for evaluation.

    Args:
        images: an `Images`.
        fraction: part of each class that is held out for evaluation, at least one image.
        seed: of the choice.

    Raises:
        ValueError: a class has a single image, or `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"`fraction` must be between 0 and 1. Received: fraction={fraction}")
    labels = np.array([images.label(i) for i in range(len(images))])
    held = np.zeros(len(images), bool)
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        if len(mine) < 2:
            raise ValueError(
                "Each class must have at least two images, one for training and one for "
                f"evaluation. Received: one of {images.class_names[label]!r}, "
                f"{images.name(int(mine[0]))}"
            )
        held[mine[: max(1, round(fraction * len(mine)))]] = True
    return Part(images, np.flatnonzero(~held)), Part(images, np.flatnonzero(held))
