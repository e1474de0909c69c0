"""Losses of outputs that only help to train, such as GoogLeNet's two heads."""

from keras_resnet.files.arguments import checked
from keras_resnet.network import Network


class WithAuxiliaryLosses(Network):
    """A network with several outputs that are trained on the same labels, as if it had one.

    "their loss gets added to the total loss of the network with a discount weight" (GoogLeNet,
    arXiv:1409.4842, Sec. 5). Compile it with one loss and with the metrics of one output, and
    fit it on `(images, labels)`. Metrics are those of the first output.

    Args:
        network: a functional model whose output is a dict. Its layers are shared: save and
            evaluate `keras.Model(network.input, network.output["fc"])`.
        loss_weights: what each output's loss counts, by its name; the one to measure comes first.

    Raises:
        ValueError: the names are not those of the outputs.

    Example:

    >>> import keras, keras_resnet
    >>> heads = keras_resnet.GoogLeNet(weights=None, input_shape=(96, 96, 3), auxiliary=True)
    >>> model = WithAuxiliaryLosses(heads, {"fc": 1.0, "loss1": 0.3, "loss2": 0.3})
    >>> model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    """

    @checked()
    def __init__(self, network, loss_weights: dict[str, float]):
        outputs = network.output
        if not isinstance(outputs, dict) or set(outputs) != set(loss_weights):
            given = sorted(outputs) if isinstance(outputs, dict) else "a single tensor"
            raise ValueError(
                "`loss_weights` must name the outputs of `network`. "
                f"Received: {sorted(loss_weights)}, outputs: {given}"
            )
        super().__init__(network.inputs, outputs, name=network.name)
        self.loss_weights = dict(loss_weights)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        one_loss = super().compute_loss
        return sum(
            weight * one_loss(x, y, y_pred[name], sample_weight, training)
            for name, weight in self.loss_weights.items()
        )

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        measured = next(iter(self.loss_weights))
        return super().compute_metrics(x, y, y_pred[measured], sample_weight)
