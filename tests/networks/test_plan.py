"""The plan of blocks: names, filters, strides and dilation, without Keras."""

import subprocess
import sys

import pytest

import keras_resnet
from keras_resnet.networks.family import network_row
from keras_resnet.networks.options import resolve
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.plan import BlockPlan, block_plan

pytestmark = pytest.mark.once


def plan(network, **options) -> dict[str, BlockPlan]:
    return {block.name: block for block in block_plan(*resolve(network_row(network), options))}


def test_the_rows_the_options_and_the_plan_need_no_keras():
    program = f"""
import sys, types
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def without_keras(name, path=None, target=None):
    return None if name.split(".")[0] in ("keras", "numpy") else find(name, path, target)
PathFinder.find_spec = without_keras
package = types.ModuleType("keras_resnet")
package.__path__ = {list(keras_resnet.__path__)!r}
sys.modules["keras_resnet"] = package
from keras_resnet.networks import family, options, paper, plan, systems
blocks = plan.block_plan(*options.resolve(paper.imagenet(50), {{"shortcut": "C"}}))
assert len(blocks) == 16 and all(block.projects for block in blocks)
assert family.family()["resnet50"].total == 25_610_152
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_resnet50_has_the_blocks_of_table_1():
    blocks = plan("resnet50")
    assert list(blocks) == [
        f"conv{stage}_{block}"
        for stage, count in enumerate((3, 4, 6, 3), start=2)
        for block in range(1, count + 1)
    ]
    assert [block.filters for block in blocks.values()] == [64] * 3 + [128] * 4 + [256] * 6 + [
        512
    ] * 3
    assert all(block.outputs == 4 * block.filters for block in blocks.values())
    assert {name for name, block in blocks.items() if block.stride == 2} == {
        *("conv3_1", "conv4_1", "conv5_1")
    }
    assert {name for name, block in blocks.items() if block.projects} == {
        *("conv2_1", "conv3_1", "conv4_1", "conv5_1")
    }
    assert {block.dilation for block in blocks.values()} == {(1, 1)}


@pytest.mark.parametrize(
    ("network", "options", "projections"),
    [
        ("resnet34", {"shortcut": "A"}, 0),
        ("resnet34", {}, 3),
        ("resnet34", {"shortcut": "C"}, 16),
        ("plain34", {}, 0),
        ("resnet50v2", {}, 4),
        ("preact_resnet50", {}, 4),
    ],
)
def test_option_b_projects_where_shapes_change_and_c_everywhere(network, options, projections):
    assert sum(block.projects for block in plan(network, **options).values()) == projections


@pytest.mark.parametrize(("where", "zeros"), [("end", (0, 16)), ("center", (8, 8))])
def test_option_a_adds_zeros_where_channels_are_missing(where, zeros):
    found = {
        name: block.zeros for name, block in plan("cifar_resnet20", zero_channels=where).items()
    }
    assert found.pop("conv3_1") == zeros
    assert found.pop("conv4_1") == tuple(2 * count for count in zeros)
    assert set(found.values()) == {(0, 0)}


@pytest.mark.parametrize(
    ("output_stride", "strides", "dilation"),
    [
        (32, [2, 2, 2], [(1, 1)] * 4),
        (16, [2, 2, 1], [(1, 1), (1, 1), (1, 2), (2, 2)]),
        (8, [2, 1, 1], [(1, 1), (1, 2), (2, 4), (4, 4)]),
    ],
)
def test_a_stride_that_is_removed_dilates_what_follows(output_stride, strides, dilation):
    blocks = plan("resnet18", output_stride=output_stride)
    assert [blocks[f"conv{stage}_1"].stride for stage in (3, 4, 5)] == strides
    names = ("conv3_1", "conv4_1", "conv5_1", "conv5_2")
    assert [blocks[name].dilation for name in names] == dilation


def test_v2_halves_the_map_in_the_last_block_of_a_stage():
    blocks = plan("resnet50v2")
    assert [name for name, block in blocks.items() if block.stride == 2] == [
        *("conv2_3", "conv3_4", "conv4_6")
    ]
    assert blocks["conv5_3"].stride == 1


def test_a_preactivated_block_normalizes_what_the_stem_has_not():
    assert not plan("preact_resnet50")["conv2_1"].normalizes
    assert plan("preact_resnet50", first_norm="conv2_1")["conv2_1"].normalizes
    assert plan("preact_resnet164")["conv2_1"].normalizes
    assert all(plan("resnet50v2")[name].normalizes for name in ("conv2_1", "conv5_3"))
    assert not any(block.normalizes for block in plan("resnet50").values())


def test_the_deeper_a_block_the_likelier_it_is_dropped():
    rates = [block.drop_rate for block in plan("resnet18", drop_path_rate=0.8).values()]
    assert rates == pytest.approx([0.1 * number for number in range(1, 9)])


def test_groups_have_their_width_in_every_stage():
    blocks = plan("resnext50_32x4d")
    assert [blocks[f"conv{stage}_1"].filters for stage in (2, 3, 4, 5)] == [128, 256, 512, 1024]
    assert [blocks[f"conv{stage}_1"].outputs for stage in (2, 3, 4, 5)] == [256, 512, 1024, 2048]
    wide = Architecture("bottleneck", (1, 1), 64, "imagenet", "B", width_per_group=128)
    assert [block.filters for block in plan(wide).values()] == [128, 256]


def test_a_widened_network_for_cifar_starts_narrow_and_counts_its_convolutions():
    blocks = plan("cifar_wide_resnet28_10")
    assert network_row("cifar_wide_resnet28_10").depth == 28
    assert [block.outputs for name, block in blocks.items() if name.endswith("_1")] == [
        *(160, 320, 640)
    ]
    # The first stage keeps the side of the map, and has other filters than conv1: it projects.
    assert [name for name, block in blocks.items() if block.projects] == [
        *("conv2_1", "conv3_1", "conv4_1")
    ]
    assert blocks["conv2_1"].stride == 1


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("resnet50d", {"stem": "deep", "downsample": "avg"}),
        ("resnet50c", {"stem": "deep", "downsample": "conv"}),
        ("resnext101_64x4d", {"groups": 64, "width_per_group": 4, "stride_on": "3x3"}),
        ("wide_resnet50_2", {"groups": 1, "width_per_group": 128, "stride_on": "3x3"}),
        ("cifar_wide_resnet40_4", {"widening": 4, "order": "preactivation"}),
    ],
)
def test_a_row_is_called_as_torchvision_and_timm_call_it(name, fields):
    row = network_row(name)
    assert row.name == name
    assert {field: getattr(row, field) for field in fields} == fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"groups": 3}, r"must divide the filters of conv2_x, 64, .*Received: groups=3"),
        ({"widening": 0}, r"`widening` must be a positive integer. Received: widening=0"),
        ({"downsample": "max"}, r"must be one of 'conv', 'avg'. Received: downsample='max'"),
        ({"block": "basic", "width_per_group": 8}, r"are of bottlenecks. Received: block='basic'"),
    ],
)
def test_a_row_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**{"block": "bottleneck", "blocks": (1, 1), "width": 64, "stem": "imagenet",
                        "shortcut": "B", **fields})  # fmt: skip
