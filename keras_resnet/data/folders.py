"""From paths to classes: the content of a folder with a sub-folder for each class."""

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_resnet.common.files import printable
from keras_resnet.data.classes import imagenet_classes

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp")
OTHER = (".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".ppm", ".pgm", ".tga")
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
SYNSET = re.compile(r"n\d{8}(?=[_.])")
VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG")


def synsets() -> tuple[str, ...]:
    """The WordNet ids of the 1,000 classes of ILSVRC 2012, by label."""
    return tuple(synset for synset, _ in imagenet_classes())


class Listed:
    """Images with known paths and labels: what folders and archives have in common.

    Args:
        paths: of all files, relative to the root of the collection; folders end with a slash.
        split: `"train"`, `"validation"`, `"test"` or None.
        where: path of the collection.

    Attributes:
        chosen: positions of the images in `paths`.
        labels: (len(chosen),) in int32.
        class_names: by label.

    Raises:
        ValueError: there are no images, or the split is absent or has to be chosen.
    """

    def __init__(self, paths: Sequence[str], split: str | None, where: Path):
        self.where = where
        shown = [(path, i) for i, path in enumerate(paths) if not hidden(path)]
        root = root_of([path for path, _ in shown], split, where)
        below = sorted((path[len(root) :], i) for path, i in shown if path.startswith(root))
        images = [(path, i) for path, i in below if path.lower().endswith(SUFFIXES)]
        inside = [(path, i) for path, i in images if "/" in path]
        if not images:
            raise ValueError(f"No images ({' '.join(SUFFIXES)}) in {where / root}")
        if not inside:
            classes, self.class_names = (
                loose_classes([path for path, _ in images], where),
                synsets(),
            )
        else:
            classes = [path.split("/")[0] for path, _ in inside]
            self.class_names = tuple(sorted({x.split("/")[0] for x, _ in below if "/" in x}))
            outside = [path for path, _ in images if "/" not in path]
            if outside:
                names = f"{len(outside)} images in {where} are in no class folder"
                warn(f"{names}, such as {outside[0]!r}")
            if other := [path for path, _ in below if "/" in path and perhaps_an_image(path)]:
                warn(
                    f"{len(other)} files in the class folders of {where} are passed over, such as "
                    f"{other[0]!r}: names of images end in {' '.join(SUFFIXES)}"
                )
            if empty := sorted(set(self.class_names) - set(classes)):
                warn(f"Class folders without images in {where}: {', '.join(empty)}")
        number = {name: label for label, name in enumerate(self.class_names)}
        self.labels = np.array([number[name] for name in classes], "int32")
        self.chosen = [i for _, i in inside or images]
        self.paths = [paths[i] for i in self.chosen]

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, i: int) -> int:
        return int(self.labels[i])

    def name(self, i: int) -> str:
        return printable(os.fsencode(self.paths[i]).decode("utf-8", "backslashreplace"))


def perhaps_an_image(path: str) -> bool:
    """Whether a file that is not read may be an image: of another format, or without a suffix."""
    name = path.rpartition("/")[2].lower()
    return bool(name) and (name.endswith(OTHER) or "." not in name)


def hidden(path: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=5)


def root_of(paths: Sequence[str], split: str | None, where) -> str:
    """The folder that contains the class folders: the folder of the split, if there is one."""
    root = ""
    while True:
        below = {path[len(root) :] for path in paths if path.startswith(root)}
        tops = {path.split("/")[0] for path in below} - {""}
        found = {name: part for name in sorted(tops) if (part := split_called(name))}
        if split is not None:
            if match := [name for name in found if found[name] == split_called(split)]:
                return f"{root}{match[0]}/"
        elif len(found) > 1 and len(found) == len(tops):
            raise ValueError(
                f"{where} has several parts: choose one by `split`. "
                f"Expected: one of {', '.join(found)}. Received: split=None"
            )
        # An archive often contains a single folder, which contains the class folders.
        (only,) = tops if len(tops) == 1 else (None,)
        deeper = any("/" in path.partition("/")[2] for path in below)
        if only is None or only in below or not deeper:
            break
        root = f"{root}{only}/"
    if split is not None:
        raise ValueError(
            f"{where} has no part called {split!r}. Found: {', '.join(sorted(tops)[:10])}"
        )
    return root


def split_called(name: str) -> str | None:
    """The split that a folder contains by its name, or None."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


def loose_classes(paths: Sequence[str], where: Path) -> list[str]:
    """The synsets of images in no class folder, from ImageNet's file names."""
    if VALIDATION.fullmatch(paths[0]):
        return validation_synsets(where, paths)
    found = [match[0] if (match := SYNSET.match(path)) else "" for path in paths]
    if unknown := [path for path, name in zip(paths, found, strict=True) if name not in synsets()]:
        raise ValueError(
            f"{unknown[0]!r} in {where} is in no class folder, and its name does not begin with a "
            "synset of ILSVRC 2012"
        )
    return found


def validation_synsets(where: Path, paths: Sequence[str]) -> list[str]:
    """The synsets of ILSVRC2012_val_00000001.JPEG and so on, from a file with a synset a line.

    (The development kit's own list has the same content, but numbers the classes differently.)
    """
    folder = where if where.is_dir() else where.parent
    files = [folder / "validation_labels.txt", folder / "synset_labels.txt"]
    try:
        import tensorflow_datasets as tfds

        files.append(Path(tfds.core.tfds_path("datasets/imagenet2012/validation_labels.txt")))
    except ImportError:
        pass
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise ValueError(
            f"The labels of {where} are not with the images. Expected: {files[0]} with a synset "
            'a line, or tensorflow-datasets, which has them: pip install "keras3-resnet[recipes]"'
        )
    truth, found = file.read_text().split(), []
    for path in paths:
        match = VALIDATION.fullmatch(path)
        if match is None or not 0 < int(match[1]) <= len(truth):
            raise ValueError(f"{path!r} in {where} has no label in {file} ({len(truth)} lines)")
        found.append(truth[int(match[1]) - 1])
    return found


class FolderImages(Listed):
    """A folder of class sub-folders; see `open_images`."""

    def __init__(self, folder: str | os.PathLike, split: str | None = None):
        super().__init__(list(walk(Path(folder))), split, Path(folder))

    def read(self, i: int) -> bytes:
        return (self.where / self.paths[i]).read_bytes()


def walk(root: Path) -> Iterator[str]:
    """All files and folders below, relative; folders end with a slash.

    Links are followed, and each folder is read once however many lead to it, under its own path
    where that is below the root. Only regular files count: opening a pipe waits for its writer.

    Raises:
        FileNotFoundError: a link leads to no file. It is an error now, not an hour later.
    """
    seen: set[tuple[int, int]] = set()
    folders, links = [""], list[str]()
    while folders or links:
        prefix = folders.pop() if folders else links.pop(0)
        status = os.stat(root / prefix)
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if prefix:
            yield prefix
        with os.scandir(root / prefix) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = f"{prefix}{entry.name}"
                if entry.is_dir():
                    (links if entry.is_symlink() else folders).append(f"{path}/")
                elif entry.is_file():
                    yield path
                elif entry.is_symlink() and not os.path.exists(entry):
                    raise FileNotFoundError(f"{entry.path} is a link to a file that is not there")
                else:
                    warn(f"{entry.path} is no regular file and is passed over")
