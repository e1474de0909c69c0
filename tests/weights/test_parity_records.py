"""What the records say of public weights agrees with the libraries they come from."""

import numpy as np
import pytest
from support.parity import import_peer

import keras_resnet

pytestmark = pytest.mark.once


def test_records_agree_with_torchvision_and_timm():
    """Addresses, hashes, licenses, preprocessing and accuracies are the publishers' own."""
    torchvision = import_peer("torchvision")
    timm = import_peer("timm")
    compared = 0
    for record in keras_resnet.list_weights():
        image = record.image
        if record.name in ("tv", "tv2"):
            weights = torchvision.models.get_model_weights(record.network)
            theirs = weights[f"IMAGENET1K_V{2 if record.name == 'tv2' else 1}"]
            transform = theirs.transforms()
            accuracy = theirs.meta["_metrics"]["ImageNet-1K"]
            assert record.url == theirs.url
            assert [image.size] == transform.crop_size
            assert [image.resize] == transform.resize_size
            assert image.interpolation == transform.interpolation.value
            assert (record.results[0].top1, record.results[0].top5) == tuple(accuracy.values())
        elif record.dialect == "timm":
            theirs = timm.models.get_pretrained_cfg(record.source.removeprefix("timm, "))
            assert record.url == f"hf://{theirs.hf_hub_id}/model.safetensors"
            assert record.license.lower() == theirs.license
            assert image.interpolation == theirs.interpolation
            tested_at_224 = theirs.test_input_size == (3, 224, 224)
            wanted = theirs.test_crop_pct if tested_at_224 else theirs.crop_pct
            assert image.crop_pct == wanted
            np.testing.assert_allclose(np.array(image.mean) / 255, theirs.mean, rtol=1e-6)
            np.testing.assert_allclose(np.array(image.std) / 255, theirs.std, rtol=1e-6)
        else:
            continue
        compared += 1
    assert compared == 44


def test_records_agree_with_keras_applications():
    from keras.src.applications import resnet, vgg16, vgg19

    vggs = {"vgg16": vgg16, "vgg19": vgg19}
    for record in keras_resnet.list_weights():
        if record.name == "keras" and record.network in vggs:
            assert record.url == vggs[record.network].WEIGHTS_PATH
        elif record.name == "keras":
            assert record.hash == f"md5:{resnet.WEIGHTS_HASHES[record.network][0]}"
            assert record.url.startswith(resnet.BASE_WEIGHTS_PATH)
