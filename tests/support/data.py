"""What the tests of data share: collections of made-up files."""

import io
import tarfile
from pathlib import Path

FILES = {
    "train/cat/b.jpg": b"cat b",
    "train/cat/a.JPEG": b"cat a",
    "train/dog/nested/c.png": b"dog c",
    "val/cat/d.jpg": b"cat d",
    "val/dog/e.jpg": b"dog e",
}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def tar_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def content_of(images) -> list[tuple[str, bytes]]:
    return [(images.class_names[images.label(i)], images.read(i)) for i in range(len(images))]
