"""JAX: the functions that `keras_resnet.layers.kernels` lists."""

from keras_resnet.layers.jax.kernels import (
    average_pool,
    can_normalize,
    convolve,
    max_pool,
    normalize,
    normalize_batch,
    normalize_together,
    prepare_optimizer,
    relu,
    run_compiled,
    run_fused,
    store_kernel,
    uniform,
)

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
