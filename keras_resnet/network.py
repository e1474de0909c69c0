"""The model class: a Keras functional model of any depth."""

import contextlib
import sys
import threading

import keras

# Keras walks a graph with one Python frame a node; ResNet-1202 has 4,800 nodes.
# CPython keeps the frames of Python functions on the heap, so the walk is safe.
DEEPEST_GRAPH = 200_000
_limit_is_ours = threading.RLock()


@contextlib.contextmanager
def deep_graph():
    """Lets Keras walk a graph deeper than Python's recursion limit, then restores the limit."""
    with _limit_is_ours:  # two threads must not restore each other's limit
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEPEST_GRAPH))
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)


@keras.saving.register_keras_serializable("keras_resnet")
class Network(keras.Model):
    """A functional model that may be thousands of layers deep.

    It is built, cloned, saved and loaded like any `keras.Model`. Stock Keras walks
    the graph recursively and stops at about 300 weighted layers with a RecursionError.
    """

    # The argument names are Functional's own: that is how Keras knows it may
    # rebuild this class from a graph.
    def __init__(self, inputs, outputs, name=None, **kwargs):
        with deep_graph():
            super().__init__(inputs, outputs, name=name, **kwargs)
