"""Images to learn from and to be measured on."""

from keras_resnet.data.sources import Images, open_images

__all__ = ["Images", "open_images"]
