"""JAX: one program moves all averages."""

import functools

import jax


@functools.partial(jax.jit, donate_argnums=0)
def towards(averages, values, weight):
    return [a + (v - a) * weight for a, v in zip(averages, values, strict=True)]


def blend(averages, sources):
    """A function that moves averages a part of the way to the variables they are of.

    Nothing waits for the device: variables are given arrays that are still being computed. That
    is some microseconds of Python for each variable, and is why `every` is worth setting for a
    small network on a fast device.
    """

    def run(weight: float) -> None:
        values = [average.value for average in averages]
        moved = towards(values, [source.value for source in sources], weight)
        for average, value in zip(averages, moved, strict=True):
            average.assign(value)

    return run
