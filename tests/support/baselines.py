"""Narrow builds of the systems in the paper's tables, for several tests."""

import pytest

from support import filled
from support.golden_cases import TINY

# The others are made of the same parts: `make test-all` has them too.
KINDS = ["vgg_lrn", "googlenet", "prelu_net", "v2"] + [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("bn_inception", "preact", "preact_cifar", "d")
]


def built(kind, side=32, **options):
    options.setdefault("classes", 4)
    return filled(TINY[kind], input_shape=(side, side, 3), **options)
