"""JAX: how a batch is moved to the device."""

import jax


class Transfer:
    """`device_put` returns at once, with arrays that arrive later."""

    asynchronous = True
    start = staticmethod(jax.device_put)

    def finish(self, started: tuple) -> tuple:
        return started
