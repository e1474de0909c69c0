"""The ratios this package promises, and what a set of results says of each."""

from dataclasses import dataclass

from benchmarks.common import records
from benchmarks.training import results
from benchmarks.training.catalog import OURS, Group, group

BATCH, SIZE = 8, 224


@dataclass(frozen=True)
class Target:
    """A bound on a ratio of two (contender, dtype) pairs of one group.

    Args:
        measure: what is divided by what, in words.
        value: `"rate"`, images a second, at least `bound`; or `"memory"`, at most.
    """

    measure: str
    backend: str
    net: str
    mode: str
    over: tuple[str, str]
    under: tuple[str, str]
    bound: float
    value: str = "rate"

    @property
    def bound_text(self) -> str:
        return f"{'at least' if self.value == 'rate' else 'at most'} {self.bound:.2f}"

    def reached(self, ratio: float) -> bool:
        return ratio >= self.bound if self.value == "rate" else ratio <= self.bound


FAST, FAST_BF16 = (OURS, "float32"), (OURS, "bfloat16")
KERAS = ("keras.applications", "float32")
TORCHVISION, FLAX = ("torchvision", "float32"), ("flax", "float32")
V1, V15 = "resnet50", "resnet50v1.5"
# fmt: off
TARGETS = (
    Target("training / keras.applications", "tensorflow", V1, "train", FAST, KERAS, 1.15),
    Target("training / torchvision eager", "torch", V15, "train", FAST, TORCHVISION, 1.05),
    Target("training / keras.applications", "torch", V1, "train", FAST, KERAS, 1.45),
    Target("training / flax + optax", "jax", V15, "train", FAST, FLAX, 1.05),
    Target("inference / torchvision eager", "torch", V15, "infer", FAST, TORCHVISION, 1.00),
    Target("inference / keras.applications", "tensorflow", V1, "infer", FAST, KERAS, 1.05),
    Target("training memory / keras.applications", "tensorflow", V1, "train", FAST, KERAS,
           1.05, "memory"),
    Target("training memory / torchvision eager", "torch", V15, "train", FAST, TORCHVISION,
           1.05, "memory"),
    Target("training memory / flax + optax", "jax", V15, "train", FAST, FLAX, 1.05, "memory"),
    Target("bfloat16 training / our float32", "tensorflow", V1, "train", FAST_BF16, FAST, 1.25),
    Target("bfloat16 training / our float32", "torch", V15, "train", FAST_BF16, FAST, 1.25),
)
# fmt: on


def groups(threads: int) -> list[Group]:
    """The fewest groups that decide every target, for a CPU."""
    entries: dict[tuple, list] = {}
    for target in TARGETS:
        found = entries.setdefault((target.backend, target.net, target.mode), [])
        found += [pair for pair in (target.over, target.under) if pair not in found]
    return [
        group(
            backend, net, mode, sorted(found), device="cpu", threads=threads, batch=BATCH, size=SIZE
        )
        for (backend, net, mode), found in entries.items()
    ]


@dataclass(frozen=True)
class Verdict:
    """A target beside the newest run that has both sides of it; `ratio` is None where none has."""

    target: Target
    ratio: results.Ratio | None
    date: str = ""

    @property
    def text(self) -> str:
        if self.ratio is None:
            return "not measured"
        return "reached" if self.target.reached(self.ratio.median) else "not reached"


def judge(target: Target, runs: list[dict]) -> Verdict:
    """The verdict of the newest CPU run at batch 8 and 224 pixels."""
    for run in sorted(runs, key=lambda run: run["date"], reverse=True):
        if run["device"] != "cpu":
            continue
        for found in run["groups"]:
            task = tuple(found[key] for key in ("backend", "net", "mode", "batch", "size"))
            if task != (target.backend, target.net, target.mode, BATCH, SIZE):
                continue
            if ratio := results.ratio(found, target.over, target.under, target.value):
                return Verdict(target, ratio, run["date"])
    return Verdict(target, None)


def table(runs: list[dict]) -> list[str]:
    """The table of targets, in Markdown."""
    rows = []
    for target in TARGETS:
        verdict = judge(target, runs)
        ratio = verdict.ratio
        rows.append(
            (
                f"{target.backend}: {target.measure}",
                target.net,
                target.bound_text,
                f"{ratio.median:.3f}" if ratio else "",
                ratio.spread if ratio else "",
                verdict.text,
                verdict.date[:10],
            )
        )
    return records.markdown(
        ("measure", "network", "target", "ratio", "lowest to highest", "verdict", "date"), rows
    )
