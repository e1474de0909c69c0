"""What is run together, or alone: the parts of a plan."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Unit:
    """A convolution and what follows it; `None` where a part is missing.

    `source`, `other` (what is added, a shortcut) and `target` are ids of symbolic tensors;
    `overwrites` says that the sum may take the place of `other`.
    """

    source: int
    conv: Any
    target: int
    pad: Any = None
    norm: Any = None
    add: Any = None
    other: int | None = None
    relu: Any = None
    overwrites: bool = False

    @property
    def layers(self):
        return [x for x in (self.pad, self.conv, self.norm, self.add, self.relu) if x is not None]


@dataclass
class PaddedPool:
    """A max pool of maps that are nowhere negative, where zeros around them change nothing."""

    source: int
    pad: Any
    pool: Any
    target: int

    add = other = None

    @property
    def layers(self):
        return [self.pad, self.pool]


@dataclass
class Step:
    """A unit or a node of the graph, and the tensors that nobody reads after it."""

    unit: Unit | PaddedPool | None
    node: Any
    last_uses: list[int] = field(default_factory=list)
