"""TensorFlow and JAX: the step is part of a compiled graph, and Keras' loop becomes one program."""


class SGD:
    """Nothing to add."""


class LARS(SGD):
    """Nothing to add."""


class LAMB:
    """Nothing to add."""
