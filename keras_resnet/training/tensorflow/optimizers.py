"""TensorFlow compiles Keras' own loop over the variables into the training step."""


class Updates:
    """Adds nothing to the optimizers of `keras_resnet.training`."""
