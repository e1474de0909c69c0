"""Where encoded images lie: folders, archives, prepared data sets, all read in the same way."""

import itertools
import os
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from keras_resnet.data.archives import TarImages, ZipImages
from keras_resnet.data.folders import FolderImages
from keras_resnet.data.prepared import PreparedImages, prepared_folder

ILSVRC2012 = {
    "train": "ILSVRC2012_img_train.tar",
    "validation": "ILSVRC2012_img_val.tar",
    "val": "ILSVRC2012_img_val.tar",
}


class Images(Protocol):
    """A collection of encoded images with labels, to be read in any order.

    Reading is safe in threads and in forked processes; a pickled collection opens its files
    anew where it is unpickled.
    """

    @property
    def class_names(self) -> tuple[str, ...]:
        """What each label means: `class_names[label]`."""
        ...

    def __len__(self) -> int: ...

    def label(self, i: int) -> int:
        """The label of image i, from 0 to `len(class_names) - 1`."""
        ...

    def name(self, i: int) -> str:
        """The path or the member's name of image i, for messages."""
        ...

    def read(self, i: int) -> bytes:
        """The file of image i as it is: JPEG, PNG, or whatever lies there."""
        ...


def open_images(path: str | os.PathLike, split: str | None = None) -> Images:
    """Opens a collection of encoded images, indexed once and never unpacked.

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

    Hidden files (`.name`, `__MACOSX`) and files whose suffix is not an image's are passed over.
    A class without images keeps its number, and a warning names it. Links are followed, once.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: no images, an archive that cannot be read at random, or a split that is
            not there or has to be chosen. The message names the file.

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
    if present := {s: path / tar for s, tar in ILSVRC2012.items() if (path / tar).is_file()}:
        if split not in present:
            raise ValueError(
                f"`split` must be one of {', '.join(present)} for the archives in {path}. "
                f"Received: split={split!r}"
            )
        return TarImages(present[split])
    return FolderImages(path, split)


def open_splits(path: str | os.PathLike, *splits: str) -> tuple[Images, ...]:
    """Opens several parts of a collection, which must have the same classes.

    Labels are numbered within a part: a class that one of them lacked would shift all after it.

    Args:
        path: see `open_images`.
        splits: of `"train"`, `"validation"` and `"test"`.

    Returns:
        An `Images` for each split.

    Raises:
        ValueError: the classes of the parts differ; they are listed.
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
    return TarImages(path, split if path.name not in ILSVRC2012.values() else None)
