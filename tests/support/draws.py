"""Random numbers of JAX that NumPy draws: JAX compiles a program for every shape."""

import functools

import jax
import numpy as np


def by_numpy() -> None:
    """Has `jax.random.normal`, `truncated_normal` and `uniform` call NumPy where nothing is traced.

    The numbers depend on the key alone, and have the same distribution.
    """
    for function in (normal, truncated_normal, uniform):
        name = function.__name__
        setattr(jax.random, name, eager(function, getattr(jax.random, name)))


def eager(function, original):
    @functools.wraps(original)
    def draw(key, *arguments, **options):
        if isinstance(key, jax.core.Tracer) or jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key):
            return original(key, *arguments, **options)
        return function(np.random.default_rng(np.asarray(key)), *arguments, **options)

    return draw


def normal(random, shape=(), dtype="float32"):
    return jax.numpy.asarray(random.standard_normal(shape), dtype)


def truncated_normal(random, lower, upper, shape=(), dtype="float32"):
    values = random.standard_normal(shape)
    while (outside := (values < lower) | (values > upper)).any():
        values = np.where(outside, random.standard_normal(shape), values)
    return jax.numpy.asarray(values, dtype)


def uniform(random, shape=(), dtype="float32", minval=0.0, maxval=1.0):
    return jax.numpy.asarray(random.uniform(minval, maxval, shape), dtype)
