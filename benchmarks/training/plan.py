"""How long a run will take, before anything is measured."""

from benchmarks.training.catalog import NETS, Case, Group
from benchmarks.training.turns import Settings

# For estimates only. What a thread and a GPU do, in FLOP/s: XLA's convolutions on a CPU half as
# much. And seconds until a process has imported its framework, built the network and traced it.
THREAD_RATE, GPU_RATE, XLA_CPU = 60e9, 100e12, 0.5
START, XLA_START, COMPILED_START = 12.0, 30.0, 60.0


def step_seconds(case: Case) -> float:
    """A guess at the time of one step."""
    row = NETS[case.net]
    flops = 2e9 * row.gigamacs * (case.size / row.size) ** 2 * (3 if case.mode == "train" else 1)
    rate = THREAD_RATE * case.threads if case.device == "cpu" else GPU_RATE
    if case.device == "cpu" and case.backend == "jax":
        rate *= XLA_CPU
    return 0.01 + case.batch * flops / rate


def start_seconds(case: Case) -> float:
    if case.contender.endswith("compiled"):
        return COMPILED_START
    return XLA_START if case.backend == "jax" else START


def group_seconds(group: Group, settings: Settings) -> float:
    """A guess at the time of a group: its starts, two steps to warm up, and its rounds."""
    total = 0.0
    for case in group.cases:
        starts = settings.rounds if settings.restart else 1
        total += starts * start_seconds(case)
        step = step_seconds(case)
        total += 2 * starts * step + settings.rounds * (0.4 + (settings.steps + 1) * step)
    return total


IMPORT_SECONDS = 4.0


def imports_seconds(rounds: int) -> float:
    return 2 * (rounds + 1) * IMPORT_SECONDS


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def show(groups: list[Group], import_backends, settings: Settings) -> list[str]:
    """The plan, in lines: every group with who takes part and a guess at its time."""
    lines, total = [], 0.0
    for group in groups:
        guess = group_seconds(group, settings)
        total += guess
        lines.append(f"{group.title}: about {minutes(guess)}")
        lines += [f"  {case.key}" for case in group.cases]
    for backend in import_backends:
        guess = imports_seconds(settings.rounds)
        total += guess
        lines.append(f"import keras_resnet, import keras on {backend}: about {minutes(guess)}")
    plural = "s" if settings.steps > 1 else ""
    lines.append(
        f"{settings.rounds} rounds of {settings.steps} step{plural} each; "
        f"all of it about {minutes(total)}, by a nominal speed"
    )
    return lines
