"""Shows on real handwritten digits what residual learning does, within minutes.

    make demo                                                # or, where it is installed:
    KERAS_BACKEND=jax python recipes/digits.py
    KERAS_BACKEND=jax python recipes/digits.py --networks cifar_resnet56 --epochs 3

Trains the plain and the residual networks of 20 and 56 layers (Sec. 4.2) on the 1,437 training
digits and measures them on the 360 that were held out. The deeper plain network trains worse
than the shallower one; the deeper residual network does not (Fig. 6).

Writes to --out: results.json, curves.png, predictions.png (of the last network) and every trained
network, such as resnet56.keras, which takes images of 0 to 1 and gives logits. If a run is stopped,
the same command continues it; --fresh starts over.

Cost: 2.5 minutes and 1.2 GB of memory on two cores of a CPU with torch (measured; TensorFlow and
JAX also compile each network, not measured).

Expected, measured in that run: training error 0.0 % with plain-20, 27 % with plain-56, 0.0 % with
ResNet-20 and 0.1 % with ResNet-56; test errors of 1.7, 29, 1.7 and 1.9 %. Another backend, machine
or seed gives other numbers, in the same order. The paper has no table of digits.
"""

import dataclasses
import time
from pathlib import Path

import common
import keras
import numpy as np
from common import Run, atomic_write, option, table, versions, write_json

import keras_resnet
from keras_resnet import figures, training
from keras_resnet.data import digits
from keras_resnet.data.arrays import ArrayBatches
from keras_resnet.networks.family import network_row

NETWORKS = ("cifar_plain20", "cifar_plain56", "cifar_resnet20", "cifar_resnet56")


@dataclasses.dataclass(frozen=True)
class Recipe(Run):
    networks: tuple[str, ...] = option(NETWORKS, "of Sec. 4.2, of any 6n+2 layers")
    epochs: int = option(10, "times through the training digits: what minutes on 2 cores allow")
    batch_size: int = option(64, '"128" in the paper; half gives twice the steps in few epochs')
    learning_rate: float = option(0.05, '"0.1" in the paper, over 64,000 steps instead of 220')
    warmup: float = option(
        0.25, 'part of the steps: "0.01 to warm up the training", which deep networks need'
    )
    momentum: float = option(0.9, '"a momentum of 0.9"')
    weight_decay: float = option(1e-4, '"a weight decay of 0.0001", of kernels')
    out: str = option("runs/digits", "folder to write to, or to continue in")

    def __post_init__(self):
        if not self.networks:
            raise ValueError("`networks` must name at least one network. Received: none")
        for name in self.networks:
            if network_row(name).stem != "cifar":
                raise ValueError(
                    "Digits are small: `networks` must be of the family of Sec. 4.2, "
                    f"cifar_resnetN or cifar_plainN with N = 6n+2. Received: {name!r}"
                )
        if len(set(self.networks)) < len(self.networks):
            raise ValueError(f"`networks` names one twice. Received: {','.join(self.networks)}")
        self.at_least(1, "epochs", "batch_size")
        self.at_least(0, "learning_rate", "momentum", "weight_decay")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"`warmup` must be from 0 to 1. Received: {self.warmup}")
        self.check()


def build(name, recipe, input_shape, steps):
    """A network and how it is to be trained."""
    model = keras_resnet.build(name, input_shape=input_shape, classifier_activation=None)
    warmup = round(recipe.warmup * steps)
    # From 0 to the full rate and back along a cosine: no plateaus to wait for.
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=recipe.learning_rate, warmup_steps=warmup
    )
    model.compile(
        training.SGD(rate, recipe.momentum, weight_decay=recipe.weight_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def measure(model, x, y, x_test, y_test):
    """Loss and error (%) on both parts of the digits, of the network as it is."""
    # 1,797 = 3 * 599: one shape, so that JAX compiles once.
    logits = model.predict(np.concatenate([x, x_test]), batch_size=599, verbose=0)
    labels = np.concatenate([y, y_test])
    losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
    wrong = logits.argmax(axis=1) != labels
    train, test = slice(None, len(y)), slice(len(y), None)
    return {
        "training_loss": float(losses[train].mean()),
        "training_error": 100 * float(wrong[train].mean()),
        "test_loss": float(losses[test].mean()),
        "test_error": 100 * float(wrong[test].mean()),
    }, logits[test]


def train(name, recipe, x, y, x_test, y_test):
    """A network from its initial weights to the last epoch, and what was measured on the way."""
    started = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    # The remainder of an epoch is dropped: one shape of batch, so that JAX compiles once.
    batches = ArrayBatches(x, y, min(recipe.batch_size, len(x)), seed=recipe.seed)
    model = build(name, recipe, x.shape[1:], recipe.epochs * batches.steps_per_epoch)
    logits = []

    def evaluate(model):
        measured, test_logits = measure(model, x, y, x_test, y_test)
        logits[:] = [test_logits]
        print(
            f"{shown(name):>10}  training loss {measured['training_loss']:5.3f}  "
            f"training error {measured['training_error']:5.2f} %  "
            f"test error {measured['test_error']:5.2f} %  "
            f"{time.monotonic() - started:4.0f} s",
            flush=True,
        )
        return measured

    rows = training.fit(
        model,
        batches,
        epochs=recipe.epochs,
        out=Path(recipe.out, "networks", name),
        configuration=recipe.configuration() | {"networks": name},
        checkpoint_every=recipe.checkpoint_every,
        evaluate=evaluate,
        progress=False,
    )
    if not logits:  # the run had ended before
        evaluate(model)
    quantities = ("step", "training_loss", "training_error", "test_loss", "test_error")
    costs = keras_resnet.count(model)
    result = {
        "parameters": costs.trainable,
        "multiply_adds": costs.macs,
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "history": {name: [row[name] for row in rows] for name in quantities},
    }
    return model, logits[0].argmax(axis=1), result


def shown(name):
    """cifar_resnet56 is ResNet-56 to a reader, and cifar_plain56 plain-56."""
    row = network_row(name)
    return f"{'ResNet' if row.shortcut else 'plain'}-{row.depth}"


def summary(results):
    return table(
        [
            {
                "network": shown(name),
                "parameters": f"{result['parameters']:,}",
                "training loss": f"{result['history']['training_loss'][-1]:.3f}",
                "training error (%)": f"{result['history']['training_error'][-1]:.2f}",
                "test error (%)": f"{result['history']['test_error'][-1]:.2f}",
                "seconds": f"{result['seconds']:.0f}",
            }
            for name, result in results.items()
        ]
    )


def draw_curves(results, path):
    """Plain networks beside residual ones, as in Fig. 6."""
    panels: dict[str, dict] = {}
    for name, result in results.items():
        title = "residual networks" if network_row(name).shortcut else "plain networks"
        panels.setdefault(title, {})[shown(name)] = result["history"]
    save(figures.training_curves(panels), path)


def save(figure, path):
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150)


def main(recipe):
    out = Path(recipe.out)
    models = {name: f"{name.removeprefix('cifar_')}.keras" for name in recipe.networks}
    files = ["results.json", "curves.png", "predictions.png", *models.values()]
    (x, y), (x_test, y_test) = digits.load_data()
    print(f"{len(y):,} digits to learn from, {len(y_test)} held out, on {keras.backend.backend()}")
    networks: dict[str, dict] = {}
    record = {
        "recipe": recipe,
        "versions": versions("scikit-learn"),
        "digits": {"training": len(y), "test": len(y_test)},
        "measured": "after every epoch, in inference mode, on all training and all test digits",
        "networks": networks,
    }
    for name in recipe.networks:
        print(f"{shown(name)}: building and compiling", flush=True)
        model, predicted, networks[name] = train(name, recipe, x, y, x_test, y_test)
        # Written after every network: what is finished outlives an interruption.
        with atomic_write(out / models[name]) as path:
            model.save(path)
        write_json(out / "results.json", record)
        draw_curves(networks, out / "curves.png")
    title = f"Test digits as {shown(name)} reads them"
    picture = figures.predictions(x_test.squeeze(), y_test, predicted, title=title)
    save(picture, out / "predictions.png")
    print(f"\n{summary(networks)}\n\nIn {out}: {', '.join(files)}")
    if "cifar_resnet56" not in networks:
        print(f"ResNet-56 was not asked for: predictions.png shows {shown(name)}")


if __name__ == "__main__":
    common.start(Recipe, __doc__, main)
