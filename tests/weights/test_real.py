"""Trained weights of others on the whole real CIFAR-10 test folder, against their own logits."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import keras_resnet

# Error in percent of the reference implementation on this folder (JPEG, not the original pixels).
ERRORS = {20: 18.97, 32: 17.44}
TOLERANCE = 1e-3


def real_images(shared_data, every):
    with zipfile.ZipFile(shared_data / "cifar10-jpeg.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.startswith("test/") and n[-4:] == ".jpg")
        return np.stack(
            [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names[::every]]
        )


@pytest.mark.parametrize("depth", [20, pytest.param(32, marks=pytest.mark.slow)])
@pytest.mark.parametrize("every", [50, pytest.param(1, marks=pytest.mark.slow)])
def test_converted_weights_give_the_reference_logits(depth, every, shared_data, monkeypatch):
    """Within 1e-3, with the same argmax wherever the best two differ by more than that."""
    pytest.importorskip("torch", reason="these weights are a torch pickle")
    monkeypatch.setattr(
        "keras_resnet.models.fetch", lambda record: shared_data / f"cifar-resnet{depth}.th"
    )
    network = f"cifar_resnet{depth}"
    model = keras_resnet.build(network, weights="akamaster", classifier_activation=None)
    x = keras_resnet.preprocess_input(real_images(shared_data, every), f"{network}.akamaster")
    logits = model.predict(x, batch_size=200, verbose=0)
    with np.load(shared_data / f"cifar-resnet{depth}-logits.npz") as reference:
        wanted, labels = reference["logits"][::every], reference["labels"][::every]
    difference = np.abs(logits - wanted).max()
    best = np.sort(wanted, axis=1)
    clear = best[:, -1] - best[:, -2] > TOLERANCE
    error = 100 * np.mean(logits.argmax(1) != labels)
    print(f"{network}: {len(x)} images, difference {difference:.1e}, error {error:.2f} %")
    assert difference <= TOLERANCE
    assert (logits.argmax(1) == wanted.argmax(1))[clear].all()
    assert clear.mean() > 0.99
    if every == 1:
        assert error == pytest.approx(ERRORS[depth], abs=0.005)
