"""Twenty steps of the CIFAR-10 recipe, the same on every backend."""

import keras
import numpy as np

from support import fill, images
from support.recipes import module_of

STEPS = 20


def twenty_steps() -> dict[str, list[float]]:
    """The loss of every step, and the norm of every variable after the last.

    Augmentation, schedule (with both drops), loss and optimizer are the recipe's; initial
    weights depend on their names alone.
    """
    cifar10 = module_of("cifar10")
    recipe = cifar10.Recipe(batch_size=16, steps=STEPS, model="cifar_resnet20", seed=3)
    settings = recipe.settings()
    x = images(64, 32, 32, 3, label="training") / 4
    batches = cifar10.batches_of(recipe, settings, x, np.arange(64) % 10)
    model, _ = cifar10.build(recipe, settings)
    fill(model)
    losses = []
    for batch in batches.batches(0, STEPS):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(*batch)[0]))
    norms = [np.linalg.norm(keras.ops.convert_to_numpy(v)) for v in model.weights]
    return {"losses": losses, "norms": [float(norm) for norm in norms]}
