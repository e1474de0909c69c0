"""From paths to classes: what a folder of class sub-folders, or an archive of one, holds."""

import dataclasses
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp")
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
SYNSET = re.compile(r"n\d{8}(?=[_.])")
VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG")


def synsets() -> tuple[str, ...]:
    """The 1,000 classes of ILSVRC 2012 in the order of their labels."""
    rows = json.loads((Path(__file__).parents[1] / "images" / "imagenet_classes.json").read_text())
    return tuple(synset for synset, _ in rows)


@dataclasses.dataclass(frozen=True)
class Classified:
    """Which of the paths are images of the split, and of which classes.

    Args:
        class_names: of each label.
        chosen: positions in the list of paths.
        labels: (len(chosen),) in int32.
    """

    class_names: tuple[str, ...]
    chosen: list[int]
    labels: np.ndarray


def classified(paths: Sequence[str], split: str | None, where: os.PathLike | str) -> Classified:
    """Sorts out paths relative to the root of a collection; folders end with a slash.

    Raises:
        ValueError: no images, or a split that is not there or has to be chosen.
    """
    seen = [(path, i) for i, path in enumerate(paths) if not hidden(path)]
    root = root_of([path for path, _ in seen], split, where)
    below = sorted((path[len(root) :], i) for path, i in seen if path.startswith(root))
    images = [(path, i) for path, i in below if path.lower().endswith(SUFFIXES)]
    names = sorted({path.split("/")[0] for path, _ in below if "/" in path})
    if not images:
        raise ValueError(f"No images ({' '.join(SUFFIXES)}) in {Path(where) / root}")
    if not any("/" in path for path, _ in images):
        return loose(images, where)
    if outside := [path for path, _ in images if "/" not in path]:
        warn(f"{len(outside)} images in {where} are in no class folder, such as {outside[0]!r}")
    inside = [(path, i) for path, i in images if "/" in path]
    number = {name: label for label, name in enumerate(names)}
    labels = np.array([number[path.split("/")[0]] for path, _ in inside], "int32")
    if empty := sorted(set(range(len(names))) - set(labels.tolist())):
        warn(f"Class folders without images in {where}: {', '.join(names[i] for i in empty)}")
    return Classified(tuple(names), [i for _, i in inside], labels)


def hidden(path: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=4)


def root_of(paths: Sequence[str], split: str | None, where) -> str:
    """The folder of the classes: that of the split, within the one folder of an archive."""
    root = ""
    while True:
        tops = {path[len(root) :].split("/")[0] for path in paths if path.startswith(root)} - {""}
        files = {path[len(root) :] for path in paths if path.startswith(root)}
        found = {name: part for name in sorted(tops) if (part := split_called(name))}
        if split is not None:
            if match := [name for name in found if found[name] == split_called(split)]:
                return f"{root}{match[0]}/"
        elif len(found) > 1 and len(found) == len(tops):
            raise ValueError(
                f"{where} has several parts: choose one by `split`. "
                f"Expected: one of {', '.join(found)}. Received: split=None"
            )
        # An archive often holds one folder, which holds the classes.
        (only,) = tops if len(tops) == 1 else (None,)
        deeper = any(path.count("/") > root.count("/") + 1 for path in paths)
        if only is None or only in files or not deeper:
            break
        root = f"{root}{only}/"
    if split is not None:
        raise ValueError(
            f"{where} has no part called {split!r}. Found: {', '.join(sorted(tops)[:10])}"
        )
    return root


def split_called(name: str) -> str | None:
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


def loose(images: list[tuple[str, int]], where) -> Classified:
    """Images in no folder: those of ImageNet say their class by their names."""
    if VALIDATION.fullmatch(images[0][0]):
        found = validation_synsets(Path(where), [path for path, _ in images])
    else:
        found = [match[0] if (match := SYNSET.match(path)) else "" for path, _ in images]
    number = {name: label for label, name in enumerate(synsets())}
    for (path, _), synset in zip(images, found, strict=True):
        if synset not in number:
            raise ValueError(
                f"{path!r} in {where} is in no class folder, nor does its name begin with a "
                "synset of ILSVRC 2012"
            )
    labels = np.array([number[synset] for synset in found], "int32")
    return Classified(synsets(), [i for _, i in images], labels)


def validation_synsets(where: Path, paths: Sequence[str]) -> list[str]:
    """The synsets of ILSVRC2012_val_00000001.JPEG and so on, from the official ground truth.

    The official list of the development kit numbers classes in another order; what is read
    here has the same truth as 50,000 synsets, a line each.
    """
    folder = where if where.is_dir() else where.parent
    files = [folder / "validation_labels.txt", folder / "synset_labels.txt"]
    try:
        import tensorflow_datasets as tfds

        files.append(Path(tfds.core.tfds_path("datasets/imagenet2012/validation_labels.txt")))
    except ImportError:
        pass
    for file in files:
        if file.is_file():
            truth = file.read_text().split()
            break
    else:
        raise ValueError(
            f"The labels of {where} are not with the images. Expected: {files[0]} with a synset "
            'a line, or tensorflow-datasets, which has them: pip install "keras3-resnet[recipes]"'
        )
    synsets_found = []
    for path in paths:
        match = VALIDATION.fullmatch(path)
        if match is None or not 0 < int(match[1]) <= len(truth):
            raise ValueError(f"{path!r} in {where} has no label in {file} ({len(truth)} lines)")
        synsets_found.append(truth[int(match[1]) - 1])
    return synsets_found


class Listed:
    """Images of which paths and labels are known: what folders and archives have in common."""

    def __init__(self, paths: Sequence[str], split: str | None, where: Path):
        sorted_out = classified(paths, split, where)
        self.where = where
        self.class_names = sorted_out.class_names
        self.labels = sorted_out.labels
        self.chosen = sorted_out.chosen
        self.paths = [paths[i] for i in sorted_out.chosen]

    def renumber(self, class_names: tuple[str, ...]) -> None:
        """Labels by another list that has all the classes."""
        number = {name: label for label, name in enumerate(class_names)}
        renumbered = np.array([number[name] for name in self.class_names], "int32")
        self.labels, self.class_names = renumbered[self.labels], class_names

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, i: int) -> int:
        return int(self.labels[i])

    def name(self, i: int) -> str:
        return os.fsencode(self.paths[i]).decode("utf-8", "backslashreplace")


class FolderImages(Listed):
    """A folder of class sub-folders; see `open_images`."""

    def __init__(self, folder: str | os.PathLike, split: str | None = None):
        super().__init__(list(walk(Path(folder))), split, Path(folder))

    def read(self, i: int) -> bytes:
        return (self.where / self.paths[i]).read_bytes()


def walk(root: Path) -> Iterator[str]:
    """All files and folders below, relative, folders with a slash; links are followed once."""
    for folder, folders, files in os.walk(root, followlinks=True):
        relative = Path(folder).relative_to(root).as_posix()
        prefix = "" if relative == "." else f"{relative}/"
        folders[:] = [name for name in folders if not leads_back(Path(folder, name), root)]
        yield from (f"{prefix}{name}/" for name in folders)
        yield from (f"{prefix}{name}" for name in existing(folder, files))


def leads_back(folder: Path, root: Path) -> bool:
    """Whether a link leads to a folder that was entered on the way to it."""
    if not folder.is_symlink():
        return False
    on_the_way = [parent for parent in folder.parents if parent.is_relative_to(root)]
    return any(parent.resolve().is_relative_to(folder.resolve()) for parent in on_the_way)


def existing(folder: str, files: Iterable[str]) -> Iterator[str]:
    """Files that are there: a link to nothing is an error when all are listed, not an hour later.

    Raises:
        FileNotFoundError: a link leads nowhere.
    """
    for name in files:
        path = os.path.join(folder, name)
        if os.path.islink(path) and not os.path.exists(path):
            raise FileNotFoundError(f"{path} is a link to a file that is not there")
        yield name
