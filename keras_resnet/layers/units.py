"""What is run together, or alone: the parts of a plan."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Unit:
    """A convolution and what follows it; `None` where a part is missing.

    `source`, `draws` (by which the sum leaves the convolution out), `other` (what is added, a
    shortcut) and `target` are ids of symbolic tensors; `overwrites` says that the sum may take the
    place of `other`.
    """

    source: int
    conv: Any
    target: int
    pad: Any = None
    norm: Any = None
    drop: Any = None
    draws: int | None = None
    add: Any = None
    other: int | None = None
    relu: Any = None
    overwrites: bool = False

    @property
    def layers(self):
        layers = self.pad, self.conv, self.norm, self.drop, self.add, self.relu
        return [layer for layer in layers if layer is not None]

    @property
    def reads(self):
        return [x for x in (self.source, self.draws, self.other) if x is not None]


@dataclass
class PaddedPool:
    """A pool of a map and the zeros around it.

    A max pool is one only of maps that are nowhere negative, where zeros change nothing.
    """

    source: int
    pad: Any
    pool: Any
    target: int

    add = None

    @property
    def layers(self):
        return [self.pad, self.pool]

    @property
    def reads(self):
        return [self.source]


@dataclass
class Step:
    """A unit or a node of the graph, and the tensors that nobody reads after it."""

    unit: Unit | PaddedPool | None
    node: Any
    last_uses: list[int] = field(default_factory=list)
