"""The ImageNet recipes hold what the papers say; the numbers here are typed from the papers."""

import keras
import numpy as np
import pytest
from support.recipes import module_of

from keras_resnet import training

A2 = {  # ResNet strikes back, Table 2, column A2
    "epochs": 300,
    "batch_size": 2048,
    "size": 224,
    "last_size": 224,
    "evaluation": (236, 224),  # "test crop ratio" 0.95
    "optimizer": "lamb",
    "learning_rate": 5e-3,
    "schedule": "cosine",
    "warmup": 5,
    "start": 1e-4,  # mmpretrain: LinearLR's start_factor
    "final": 1e-6,  # mmpretrain: CosineAnnealingLR's eta_min
    "weight_decay": 0.02,
    "loss": "binary",
    "label_smoothing": 0.0,
    "drop_path": 0.05,
    "repeats": 3,
    "ema": 0.0,
    "stride_on": "3x3",  # timm's ResNet-50
    "zero_init_residual": True,  # timm's default
    "augmentation.crop": "area",
    "augmentation.area": (0.08, 1.0),
    "augmentation.flip": True,
    "augmentation.lighting": 0.0,
    "augmentation.interpolation": "bicubic",
    "augmentation.randaugment.magnitude": 7,
    "augmentation.randaugment.deviation": 0.5,
    "augmentation.randaugment.operations": 2,
    "mixing.mixup": 0.1,
    "mixing.cutmix": 1.0,
}
SETTINGS = {
    "paper": {  # He et al. 2016, Sec. 3.4
        "batch_size": 256,
        "learning_rate": 0.1,
        "factor": 0.1,  # "divided by 10 when the error plateaus"
        "epochs": 120,  # 60 x 10^4 iterations of 256 of 1,281,167 images
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": False,
        "weight_decay": 1e-4,
        "warmup": 0,
        "loss": "softmax",
        "label_smoothing": 0.0,
        "size": 224,
        "last_size": 224,
        "augmentation.crop": "scale",
        "augmentation.shorter": (256, 480),
        "augmentation.flip": True,
        "augmentation.lighting": 0.1,  # "standard color augmentation in [21]"
        "augmentation.randaugment": None,
        "mixing": None,
        "repeats": 1,
        "drop_path": 0.0,
        "ema": 0.0,
        "stride_on": "1x1",  # the released prototxt
        "zero_init_residual": False,
        "recompute_batch_norm": True,  # the authors' disclaimer on BN
        "evaluation": (256, 224),
    },
    "goyal": {  # Goyal et al. 2017, Sec. 5.1
        "epochs": 90,
        "batch_size": 256,
        "learning_rate": 0.1,
        "schedule": "steps",
        "drops": (30, 60, 80),
        "factor": 0.1,
        "warmup": 5,
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1e-4,
        "loss": "softmax",
        "label_smoothing": 0.0,
        "size": 224,
        "last_size": 224,
        "evaluation": (256, 224),
        "augmentation.crop": "area",
        "augmentation.area": (0.08, 1.0),
        "augmentation.flip": True,
        "augmentation.randaugment": None,
        "mixing": None,
        "repeats": 1,
        "drop_path": 0.0,
        "ema": 0.0,
        "stride_on": "3x3",
        "zero_init_residual": True,
        "fc_deviation": 0.01,
        "divides_by_deviation": True,
        "recompute_batch_norm": False,  # running averages
    },
    "a2": A2,
    "a3": A2  # the same, column A3
    | {
        "epochs": 100,
        "learning_rate": 8e-3,
        "size": 160,
        "last_size": 160,
        "drop_path": 0.0,
        "repeats": 1,
        "augmentation.randaugment.magnitude": 6,
    },
    "fast": {  # ffcv-imagenet, rn50_16_epochs.yaml and train_imagenet.py
        "epochs": 16,
        "batch_size": 8 * 512,
        "learning_rate": 1.7,
        "schedule": "triangle",
        "warmup": 2,
        "start": 1e-4,
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": False,
        "weight_decay": 1e-4,
        "loss": "softmax",
        "label_smoothing": 0.1,
        "size": 160,
        "last_size": 192,
        "rise": (11, 13),
        "evaluation": (round(256 * 256 / 224), 256),  # resolution, and 224/256 as the crop's ratio
        "mirrored": True,
        "augmentation.crop": "area",
        "augmentation.area": (0.08, 1.0),
        "augmentation.flip": True,
        "augmentation.randaugment": None,
        "mixing": None,
        "repeats": 1,
        "drop_path": 0.0,
        "ema": 0.0,
        "stride_on": "3x3",  # torchvision's ResNet-50
        "zero_init_residual": False,  # torchvision's default
    },
}


@pytest.fixture
def imagenet():
    return module_of("imagenet")


def held(settings, name):
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


@pytest.mark.once
@pytest.mark.parametrize("recipe", SETTINGS)
def test_settings_are_those_of_the_papers(imagenet, recipe):
    settings = imagenet.Recipe(recipe=recipe).settings()
    assert {name: held(settings, name) for name in SETTINGS[recipe]} == SETTINGS[recipe]


@pytest.mark.once
@pytest.mark.parametrize("recipe", SETTINGS)
def test_a_network_is_compiled_with_what_the_settings_say(imagenet, recipe):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="fc")])
    chosen = imagenet.Recipe(recipe=recipe)
    imagenet.compile_model(model, chosen, chosen.settings(), updates_per_epoch=100)
    optimizer = model.optimizer
    strikes_back = recipe in ("a2", "a3")
    assert type(optimizer) is (training.LAMB if strikes_back else training.SGD)
    assert optimizer.weight_decay == SETTINGS[recipe]["weight_decay"]
    assert optimizer.get_config()["decayed"] == "kernel$"  # "not on BN gamma/beta" and biases
    # No paper of these clips gradients.
    assert [optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue] == [None] * 3
    if strikes_back:
        assert type(model.loss) is training.BinaryCrossentropy
        assert model.loss.threshold == 0.2  # timm: bce_target_thresh
    else:
        assert optimizer.momentum == SETTINGS[recipe]["momentum"]
        assert optimizer.nesterov == SETTINGS[recipe]["nesterov"]
        assert model.loss.label_smoothing == SETTINGS[recipe]["label_smoothing"]


@pytest.mark.once
@pytest.mark.parametrize(("name", "deviation"), [("goyal", 0.01), ("fast", None)])
def test_goyals_classifier_starts_from_a_normal_of_a_hundredth(imagenet, name, deviation):
    keras.utils.set_random_seed(0)
    recipe = imagenet.Recipe(recipe=name, model="resnet18", width=4)
    layer = imagenet.build(recipe, recipe.settings(), 1000).get_layer("fc")
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    glorot = np.sqrt(2 / sum(kernel.shape))
    assert kernel.std() == pytest.approx(deviation or glorot, rel=0.02)
    assert abs(kernel.mean()) < 0.03 * kernel.std()
    # A normal has 4.55 % beyond two deviations, a uniform distribution none.
    beyond = (abs(kernel) > 2 * kernel.std()).mean()
    assert beyond == pytest.approx(0.0455 if deviation else 0, abs=0.005)
    assert not keras.ops.convert_to_numpy(layer.bias).any()
