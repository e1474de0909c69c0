"""Networks drawn as in Fig. 3, and blocks as in Fig. 5."""

import re

import keras
import pytest
from support import without_values

import keras_resnet
from keras_resnet.figures import architecture, block_figure, save
from keras_resnet.figures.columns import blocks_of, built, merged

pytestmark = pytest.mark.once
pytest.importorskip("matplotlib")


def drawn(network):
    with without_values():
        return merged(blocks_of(built(network)))


@pytest.mark.parametrize(
    "name",
    [
        *("resnet18", "plain34", "resnet34", "resnet50", "resnet152", "vgg16", "cifar_resnet56"),
        *("preact_resnet50", "resnet50v2", "resnext50_32x4d", "prelu_net_a"),
    ],
)
def test_all_weighted_layers_of_the_main_path_are_drawn(name):
    weighted = re.compile(r"\d+x\d+ conv|fc")
    counts = [b.count * len([x for x in b.layers if weighted.match(x)]) for b in drawn(name)]
    assert sum(counts) == keras_resnet.networks.family.network_row(name).depth


@pytest.mark.parametrize(
    ("network", "options", "kinds"),
    [
        ("resnet34", {}, {"identity": 13, "projection": 3}),
        ("resnet34", {"shortcut": "A"}, {"identity": 13, "zeros": 3}),
        ("resnet34", {"shortcut": "C"}, {"projection": 16}),
        ("plain34", {}, {}),
        ("preact_resnet50", {}, {"identity": 12, "projection": 4}),
    ],
)
def test_shortcuts_are_those_of_the_option(network, options, kinds):
    with without_values():
        found = merged(blocks_of(keras_resnet.build(network, **options)))
    counted = {kind: sum(b.count for b in found if b.shortcut == kind) for kind in kinds}
    assert counted == kinds
    assert {b.shortcut for b in found} - {""} == set(kinds)


def test_equal_blocks_are_drawn_once_with_their_number():
    blocks = {b.names[0]: b for b in drawn("resnet152")}
    assert blocks["conv4_2"].names == ("conv4_2", "conv4_36")
    assert blocks["conv4_2"].count == 35
    assert blocks["conv4_1"].layers == ("1x1 conv, 256, /2", "3x3 conv, 256", "1x1 conv, 1024")
    assert len(drawn("googlenet")) == 18


def test_networks_stand_side_by_side_and_the_label_says_what_is_drawn(tmp_path):
    inside = keras_resnet.build("cifar_resnet8", include_top=False, input_shape=(32, 32, 3))
    model = keras.Sequential([keras.Input((32, 32, 3)), inside, keras.layers.Flatten()])
    figure = architecture("cifar_plain20", "cifar_resnet20", model)
    assert [axes.get_title() for axes in figure.axes] == [
        *("cifar_plain20", "cifar_resnet20", "cifar_resnet8")
    ]
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"3x3 conv, 32, /2", "avg pool", "fc 10", "x 3"} <= texts
    assert (
        "conv2_1 to conv2_3, each: 3x3 conv, 16, then 3x3 conv, 16 and a short"
        in figure.get_label()
    )
    (svg,) = save(figure, tmp_path / "all.svg")
    assert "a shortcut by zeros" in svg.read_text()
    assert [path.name for path in save(figure, tmp_path / "a.b")] == ["a.b.png", "a.b.svg"]


def test_a_block_is_drawn_with_its_shapes():
    texts = {text.get_text() for text in block_figure("resnet50", "conv3_1").axes[0].texts}
    assert {"x: 256 channels of 56 x 56", "512 channels of 28 x 28", "projection", "+"} <= texts
    plain = {text.get_text() for text in block_figure("plain18", "conv2_1").axes[0].texts}
    assert "+" not in plain


def test_what_cannot_be_drawn_is_an_error():
    with pytest.raises(ValueError, match=r"must be names or models. Received: none"):
        architecture()
    with pytest.raises(ValueError, match=r"Unknown network. Received: 'resnet35'"):
        architecture("resnet35")
    with pytest.raises(ValueError, match=r"must be one of keras_resnet's.*Received: 'mine'"):
        architecture(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="mine"))
    with pytest.raises(ValueError, match=r"must be one of .*conv2_1.*Received: block='conv9_1'"):
        block_figure("resnet18", "conv9_1")
