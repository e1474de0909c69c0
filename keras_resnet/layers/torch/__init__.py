"""PyTorch: the functions that `keras_resnet.layers.kernels` lists."""

from keras_resnet.layers.torch.compiled import run_compiled
from keras_resnet.layers.torch.kernels import (
    average_pool,
    can_normalize,
    convolve,
    max_pool,
    normalize,
    normalize_batch,
    relu,
    store_kernel,
    uniform,
)
from keras_resnet.layers.torch.optimizers import prepare_optimizer
from keras_resnet.layers.torch.replicas import normalize_together
from keras_resnet.layers.torch.units import run as run_fused

__all__ = [
    "average_pool",
    "can_normalize",
    "convolve",
    "max_pool",
    "normalize",
    "normalize_batch",
    "normalize_together",
    "prepare_optimizer",
    "relu",
    "run_compiled",
    "run_fused",
    "store_kernel",
    "uniform",
]
