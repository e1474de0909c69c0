"""What the blocks of a residual or plain network are, in numbers. No Keras in this file."""

from dataclasses import dataclass
from typing import Any

from keras_resnet.networks.paper import Architecture


@dataclass(frozen=True)
class BlockPlan:
    """One block.

    Args:
        number: among the blocks of the network, from 0.
        name: what its layers' names begin with, and its output is called: `"conv3_1"`.
        filters: of its convolutions, except for a bottleneck's last.
        outputs: channels of its output.
        stride: 2 where it halves the map, 1 elsewhere.
        dilation: of the 3x3 convolution that has the stride, and of those after it.
        projects: whether its shortcut is a convolution.
        zeros: channels that option A adds before and after those of the input.
        normalizes: whether it starts with a normalization of its own (pre-activation).
        drop_rate: probability that F(x) is left out while training (stochastic depth).
    """

    number: int
    name: str
    filters: int
    outputs: int
    stride: int = 1
    dilation: tuple[int, int] = (1, 1)
    projects: bool = False
    zeros: tuple[int, int] = (0, 0)
    normalizes: bool = False
    drop_rate: float = 0.0


def block_plan(row: Architecture, options: Any) -> list[BlockPlan]:
    """The blocks of conv2_x, conv3_x, ... in their order.

    Each stage halves the map of the one before and doubles its filters.

    Args:
        row: the network, with the shortcut it is built with.
        options: `output_stride`, `zero_channels`, `first_norm` and `drop_path_rate` are read.

    Example:

    >>> from keras_resnet.networks.options import resolve
    >>> from keras_resnet.networks.paper import imagenet
    >>> block_plan(*resolve(imagenet(18), {}))[2]
    BlockPlan(number=2, name='conv3_1', filters=128, outputs=128, stride=2, dilation=(1, 1), \
projects=True, zeros=(0, 0), normalizes=False, drop_rate=0.0)
    """
    plans: list[BlockPlan] = []
    expansion = row.widening * (4 if row.block == "bottleneck" else 1)
    channels, reached, dilation = row.width, row.stem_stride, 1
    for stage, blocks in enumerate(row.blocks, start=2):
        outputs = expansion * row.width * 2 ** (stage - 2)
        for block in range(1, blocks + 1):
            # "Downsampling is performed by conv3_1, conv4_1, and conv5_1."; v2 downsamples in
            # the last block of a stage instead, and by its shortcut no less than by F.
            halves = block == 1 and stage > 2
            if row.order == "v2":
                halves = block == blocks and stage <= len(row.blocks)
            dilation_before, stride = dilation, 1
            if halves and 2 * reached <= options.output_stride:
                stride, reached = 2, 2 * reached
            elif halves:
                dilation *= 2
            missing = outputs - channels
            changes = missing or (stride > 1 and row.order != "v2")
            projects = row.shortcut == "C" or (row.shortcut == "B" and bool(changes))
            before = missing // 2 if options.zero_channels == "center" else 0
            plans.append(
                BlockPlan(
                    number=len(plans),
                    name=f"conv{stage}_{block}",
                    filters=row.convolved * 2 ** (stage - 2),
                    outputs=outputs,
                    stride=stride,
                    dilation=(dilation_before, dilation),
                    projects=projects,
                    zeros=(0, 0) if projects else (before, missing - before),
                    # Elsewhere the first block reads what the stem has normalized.
                    normalizes=row.preactivated
                    and (len(plans) > 0 or options.first_norm == "conv2_1"),
                    # The "linear decay rule": the deeper the block, the likelier it is dropped.
                    drop_rate=options.drop_path_rate * (len(plans) + 1) / sum(row.blocks),
                )
            )
            channels = outputs
    return plans
