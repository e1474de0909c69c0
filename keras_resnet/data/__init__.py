"""Images for training and evaluation.

`open_images` opens a collection of files. `ImageBatches` and `EvaluationBatches` make batches of
files, `ArrayBatches` of arrays. TensorFlow is only imported when files are decoded.
"""

from keras_resnet.data.arrays import ArrayBatches, PadCropFlip
from keras_resnet.data.augmentation import Augmentation, CenterCrop, CentreCrop
from keras_resnet.data.feed import on_device
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.pipeline import BadImageError, EvaluationBatches, ImageBatches
from keras_resnet.data.prepared import prepare_imagenet
from keras_resnet.data.randaugment import Photometric, RandAugment
from keras_resnet.data.sources import Images, hold_out, open_images, open_splits

__all__ = [
    "ArrayBatches",
    "Augmentation",
    "BadImageError",
    "CenterCrop",
    "CentreCrop",
    "EvaluationBatches",
    "ImageBatches",
    "Images",
    "Mixing",
    "PadCropFlip",
    "Photometric",
    "RandAugment",
    "hold_out",
    "on_device",
    "open_images",
    "open_splits",
    "prepare_imagenet",
]
