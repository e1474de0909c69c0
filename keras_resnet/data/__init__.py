"""Images to learn from and to be measured on.

`open_images` opens a collection of files; `ImageBatches` and `EvaluationBatches` make batches of
it, `ArrayBatches` of arrays. TensorFlow is imported only where files are decoded.
"""

from keras_resnet.data.arrays import ArrayBatches, PadCropFlip
from keras_resnet.data.augmentation import Augmentation, CentreCrop
from keras_resnet.data.feed import on_device
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.photometric import Photometric
from keras_resnet.data.pipeline import BadImageError, EvaluationBatches, ImageBatches
from keras_resnet.data.prepared import prepare_imagenet
from keras_resnet.data.randaugment import RandAugment
from keras_resnet.data.sources import Images, open_images, open_splits

__all__ = [
    "ArrayBatches",
    "Augmentation",
    "BadImageError",
    "CentreCrop",
    "EvaluationBatches",
    "ImageBatches",
    "Images",
    "Mixing",
    "PadCropFlip",
    "Photometric",
    "RandAugment",
    "on_device",
    "open_images",
    "open_splits",
    "prepare_imagenet",
]
