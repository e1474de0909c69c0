"""The class names of ImageNet and CIFAR-10, by label."""

import functools
import json
from importlib import resources

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


@functools.cache
def imagenet_classes() -> tuple[tuple[str, str], ...]:
    """WordNet id and name of each of the 1,000 classes of ILSVRC 2012, by label."""
    text = resources.files("keras_resnet.data").joinpath("imagenet_classes.json").read_text()
    return tuple((synset, name) for synset, name in json.loads(text))
