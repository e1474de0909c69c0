"""TensorFlow: batches are not moved, because `tf.data` prefetches them."""


class Transfer:
    """Returns NumPy arrays as they are."""

    asynchronous = False

    def start(self, batch: tuple) -> tuple:
        return batch

    def finish(self, started: tuple) -> tuple:
        return started
