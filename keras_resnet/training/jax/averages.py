"""JAX: while `fit` runs, it holds the values, and hands them to variables when asked."""

import functools

import jax


@functools.partial(jax.jit, donate_argnums=0)
def towards(averages, values, weight):
    return [a + (v - a) * weight for a, v in zip(averages, values, strict=True)]


class Blend:
    """Moves averages towards the variables they are of.

    Nothing waits for the device: variables are handed arrays that are still being computed.
    That is some microseconds of Python for each variable, and is why `every` is worth setting
    for a small network on a fast device.
    """

    def __init__(self, model, averages, sources):
        self.model, self.averages, self.sources = model, averages, sources

    def __call__(self, weight: float) -> None:
        synchronize(self.model)
        averages = [average.value for average in self.averages]
        moved = towards(averages, [source.value for source in self.sources], weight)
        for average, value in zip(self.averages, moved, strict=True):
            average.assign(value)


def synchronize(model) -> None:
    """Puts what `fit` or `evaluate` holds back into variables."""
    model.jax_state_sync()
