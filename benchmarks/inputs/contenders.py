"""What each contender is: an endless iterator over batches of its kind.

All make 224x224 images by a crop of 8 to 100 % of the area, a flip and a normalization, with
bilinear interpolation. All have the files of the zip in memory.
"""

import io
import itertools
from collections.abc import Callable, Iterator

import numpy as np

SIZE = 224
MEAN = np.array([0.485, 0.456, 0.406], "float32") * 255
STD = np.array([0.229, 0.224, 0.225], "float32") * 255


def keras_resnet(path: str, batch: int, cores: int) -> Iterator:
    return pipeline(path, batch, cores).batches()


def keras_resnet_normalized(path: str, batch: int, cores: int) -> Iterator:
    """Each image where it is decoded, in the parallel map: it is in the cache there."""
    import tensorflow as tf

    from keras_resnet.data import ImageBatches

    class Normalized(ImageBatches):
        def decoded(self, *fetched):
            x, *others = super().decoded(*fetched)
            return tf.cast(x, "float32") * (1 / STD) - MEAN / STD, *others

    return pipeline(path, batch, cores, Normalized).batches()


def pipeline(path: str, batch: int, cores: int, kind=None):
    from keras_resnet.data import ImageBatches

    return (kind or ImageBatches)(InMemory(path), batch, size=SIZE, workers=cores)


class InMemory:
    """The images of a zip as `keras_resnet.data` asks for them."""

    def __init__(self, path: str):
        from keras_resnet.data import open_images

        self.images, self.files = open_images(path), encoded(path)
        self.class_names, self.label, self.name = (
            getattr(self.images, name) for name in ("class_names", "label", "name")
        )

    def __len__(self) -> int:
        return len(self.files)

    def read(self, i: int) -> bytes:
        return self.files[i]


def limited(data, cores: int):
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = cores + 2
    options.threading.max_intra_op_parallelism = 1
    return data.with_options(options)


def tf_data(path: str, batch: int, cores: int) -> Iterator:
    """As most tutorials have it: decode, crop, resize, flip, normalize, in tf.data."""
    import tensorflow as tf

    def image(data):
        x = tf.io.decode_jpeg(data, channels=3)
        begin, extent, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(x),
            tf.zeros([1, 0, 4]),
            min_object_covered=0.0,
            aspect_ratio_range=(3 / 4, 4 / 3),
            area_range=(0.08, 1.0),
            max_attempts=10,
            use_image_if_no_bounding_boxes=True,
        )
        x = tf.image.resize(tf.slice(x, begin, extent), [SIZE, SIZE])
        return (tf.image.random_flip_left_right(x) - MEAN) / STD

    data = tf.data.Dataset.from_tensor_slices(encoded(path)).repeat()
    data = data.shuffle(500).map(image, num_parallel_calls=cores)
    return iter(limited(data.batch(batch).prefetch(2), cores))


def encoded(path: str) -> list[bytes]:
    from keras_resnet.data import open_images

    images = open_images(path)
    return [images.read(i) for i in range(len(images))]


def pil(data: bytes):
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def torchvision():
    """Its transforms need none of its compiled operators, which not every torch can load."""
    import torch

    register = torch.library.register_fake

    def without_torchvision(name, *args, **kwargs):
        if isinstance(name, str) and name.startswith("torchvision::"):
            return lambda function: function
        return register(name, *args, **kwargs)

    torch.library.register_fake = without_torchvision
    import torchvision.transforms

    return torchvision


class Files:
    """A data set as torch's and Grain's loaders ask for it."""

    def __init__(self, files: list[bytes], transform: Callable):
        self.files, self.transform = files, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int):
        return self.transform(self.files[i % len(self.files)])


def loaded(files: Files, batch: int, cores: int) -> Iterator:
    import torch
    from torch.utils.data import DataLoader

    torch.set_num_threads(1)
    loader = DataLoader(
        files, batch, shuffle=True, num_workers=cores, drop_last=True, persistent_workers=True
    )
    return itertools.chain.from_iterable(itertools.repeat(loader))


def torch_pil(path: str, batch: int, cores: int) -> Iterator:
    """torch's DataLoader with PIL and the transforms of torchvision's reference script."""
    transforms = torchvision().transforms
    steps = transforms.Compose([
        transforms.RandomResizedCrop(SIZE),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((MEAN / 255).tolist(), (STD / 255).tolist()),
    ])  # fmt: skip
    return loaded(Files(encoded(path), lambda data: steps(pil(data))), batch, cores)


def torch_operators(path: str, batch: int, cores: int) -> Iterator:
    """torch's DataLoader with torchvision's own decoder and its transforms of tensors."""
    import torch
    import torchvision
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms import v2

    steps = v2.Compose([
        v2.RandomResizedCrop(SIZE, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((MEAN / 255).tolist(), (STD / 255).tolist()),
    ])  # fmt: skip

    def transform(data: bytes):
        return steps(decode_jpeg(torch.frombuffer(data, dtype=torch.uint8), ImageReadMode.RGB))

    torchvision.io.decode_jpeg  # noqa: B018, an error here says that it does not load
    return loaded(Files(encoded(path), transform), batch, cores)


def grain(path: str, batch: int, cores: int) -> Iterator:
    """Grain, with PIL: one thread on one core, else a process for each."""
    import grain.python as grain

    files = encoded(path)

    class Crop(grain.RandomMapTransform):
        def random_map(self, data: bytes, rng: np.random.Generator) -> np.ndarray:
            image = pil(data)
            box = window(image.size, rng)
            x = np.asarray(image.resize((SIZE, SIZE), 2, box=box), "float32")
            return (x[:, ::-1] if rng.random() < 0.5 else x) / STD - MEAN / STD

    data = grain.MapDataset.source(files).seed(0).shuffle().repeat().random_map(Crop())
    threads = grain.ReadOptions(num_threads=1, prefetch_buffer_size=2 * batch)
    found = data.to_iter_dataset(threads).batch(batch, drop_remainder=True)
    if cores > 1:
        found = found.mp_prefetch(grain.MultiprocessingOptions(num_workers=cores))
    return iter(found)


def window(size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A part of the area, of some aspect ratio: left, top, right, bottom."""
    width, height = size
    for _ in range(10):
        area = width * height * rng.uniform(0.08, 1.0)
        ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(width - w + 1), rng.integers(height - h + 1)
            return left, top, left + w, top + h
    side = min(size)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


CONTENDERS: dict[str, tuple[str, Callable[[str, int, int], Iterator]]] = {
    "keras_resnet": ("keras_resnet: uint8, normalized on the device", keras_resnet),
    "keras_resnet_normalized": (
        "keras_resnet, normalized on the processor",
        keras_resnet_normalized,
    ),
    "tf_data": ("tf.data: decode, then crop", tf_data),
    "torch_pil": ("torch DataLoader, PIL", torch_pil),
    "torch_operators": ("torch DataLoader, torchvision's operators", torch_operators),
    "grain": ("Grain, PIL", grain),
}
