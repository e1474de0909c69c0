"""Times this package's networks side by side with what a user would pick instead.

    python -m benchmarks.training.throughput --plan  # what would be run, and for how long
    python -m benchmarks.training.throughput --quick  # does every contender run here?
    python -m benchmarks.training.throughput --targets  # only what the table of targets needs
    python -m benchmarks.training.throughput --backend torch --net resnet18 --out mine.json

Every contender has a process of its own, with the same number of threads, and they compute in
turns, A B C A B C ..., so that a machine that slows down slows all of them. Each turn is one
step that does not count and some that do. A ratio is one of medians over the rounds of one run;
beside it stand the lowest and the highest ratio of a single round.

A training step is forward, cross-entropy, backward and SGD with momentum 0.9, on one batch that
is in (device) memory. Keras contenders run the train function of `model.fit` itself, which
also updates the loss metric. Reading data and callbacks are left out on all sides.

Results are a JSON file with versions and hardware, and a chart beside it. docs/performance.md
is made from those in benchmarks/results by tools/performance.py. Contenders need
`pip install "keras3-resnet[benchmarks]"`; one that is not installed is reported as missing.
"""

import argparse
import pathlib
import sys
import time

from benchmarks.common import machine, records
from benchmarks.training import catalog, chart, imports, plan, results, targets, turns


def names(accepted):
    """A parser of comma-separated names that are all in `accepted`."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(text.split(",")))
        if unknown := [name for name in found if name not in accepted]:
            raise argparse.ArgumentTypeError(
                f"takes {', '.join(accepted)}. Received: {', '.join(unknown)}"
            )
        return found

    return parse


def positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"takes a positive integer. Received: {text}")
    return int(text)


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, modes = parser.add_argument, (*catalog.MODES, "import")
    add("--backend", type=names(catalog.BACKENDS), default=catalog.BACKENDS)
    add("--net", type=names(catalog.NETS), default=tuple(catalog.NETS))
    add("--mode", type=names(modes), default=modes)
    add("--dtype", type=names(catalog.DTYPES), help="both on a CPU, bfloat16 on a GPU")
    add("--contenders", type=names(catalog.CONTENDERS), default=tuple(catalog.CONTENDERS))
    add("--batch", type=positive, help="images a step: 8 (CIFAR: 128) on a CPU, 256 on a GPU")
    add("--size", type=positive, help="side of the images in pixels, by default the network's own")
    add("--rounds", type=positive, default=7)
    add("--steps", type=positive, help="that count in a round: 3 on a CPU, 50 on a GPU")
    add("--threads", type=positive, default=machine.cores())
    add("--device", choices=("cpu", "gpu"), default="gpu" if machine.gpus() else "cpu")
    add(
        "--restart",
        action=argparse.BooleanOptionalAction,
        help="one process at a time, where memory is short; by default on a GPU",
    )
    add("--timeout", type=positive, default=900, help="seconds a contender may be silent")
    add("--targets", action="store_true", help="only the groups the table of targets needs")
    add(
        "--quick",
        action="store_true",
        help="2 images of 64 pixels (CIFAR: 32), 2 rounds of 2 steps",
    )
    add("--plan", action="store_true", help="show the plan and stop")
    add("--out", type=pathlib.Path, help="the JSON file; by default in benchmarks/results")
    chosen = parser.parse_args(arguments)
    if chosen.targets and chosen.device == "gpu":
        parser.error("--targets are those of a CPU. Add --device cpu")
    if chosen.out and chosen.out.suffix != ".json":
        parser.error(f"--out takes a file that ends in .json. Received: {chosen.out}")
    if chosen.out and chosen.out.exists():
        parser.error(f"--out is there already and is not overwritten. Received: {chosen.out}")
    if chosen.quick:
        chosen.batch = chosen.batch or 2
        chosen.rounds, chosen.steps = 2, chosen.steps or 2
    chosen.steps = chosen.steps or (3 if chosen.device == "cpu" else 50)
    gpu = chosen.device == "gpu"
    chosen.restart = gpu if chosen.restart is None else chosen.restart
    chosen.dtype = chosen.dtype or (("bfloat16",) if gpu else catalog.DTYPES)
    return chosen


def groups_of(chosen: argparse.Namespace) -> list[catalog.Group]:
    if chosen.targets:
        return targets.groups(chosen.threads)
    modes = [mode for mode in chosen.mode if mode in catalog.MODES]
    found = []
    for net in chosen.net:
        size = min(64, catalog.NETS[net].size) if chosen.quick else None
        found += catalog.groups(
            chosen.backend,
            net,
            modes,
            chosen.dtype,
            chosen.contenders,
            device=chosen.device,
            threads=chosen.threads,
            batch=chosen.batch,
            size=chosen.size or size,
        )
    return found


def new_run(chosen: argparse.Namespace, arguments: list[str]) -> dict:
    return {
        "format": results.FORMAT,
        **records.header("benchmarks.training.throughput", arguments),
        "device": chosen.device,
        "settings": {
            "rounds": chosen.rounds,
            "steps": chosen.steps,
            "threads": chosen.threads,
            "restart": chosen.restart,
        },
        "groups": [],
        "imports": [],
    }


def say(line: str) -> None:
    print(line, flush=True)


def measure(groups, import_backends, settings: turns.Settings, run: dict, save) -> None:
    """Fills `run` group by group, and saves it after each."""
    begun, guessed = time.monotonic(), 0.0
    total = sum(plan.group_seconds(group, settings) for group in groups)
    for number, group in enumerate(groups, 1):
        say(f"\n[{number} of {len(groups)}] {group.title}")
        record = {
            key: getattr(group, key) for key in ("backend", "net", "mode", "batch", "size")
        } | {"entries": []}
        run["groups"].append(record)
        turns.run(group, settings, record["entries"], say)
        save()
        guessed += plan.group_seconds(group, settings)
        left = (total - guessed) * (time.monotonic() - begun) / guessed
        if left:
            say(f"  about {plan.minutes(left)} left, going by the time so far")
    for backend in import_backends:
        say(f"\nimport keras_resnet, import keras on {backend}")
        run["imports"].append({})
        imports.run(backend, settings.rounds, run["imports"][-1], say)
        save()


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    settings = turns.Settings(chosen.rounds, chosen.steps, chosen.restart, chosen.timeout)
    groups = groups_of(chosen)
    import_backends = chosen.backend if "import" in chosen.mode and not chosen.targets else ()
    if not groups and not import_backends:
        print("No contender does what was asked for; see --help", file=sys.stderr)
        return 2
    say("\n".join(plan.show(groups, import_backends, settings)))
    if chosen.plan:
        return 0
    run = new_run(chosen, arguments)
    stamp = run["date"].replace(":", "")[:15]
    path = chosen.out or records.RESULTS / f"throughput-{chosen.device}-{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        measure(groups, import_backends, settings, run, lambda: records.save(path, run))
    except KeyboardInterrupt:
        say("\nStopped; what was measured until now is kept")
        run["stopped"] = True
    records.save(path, run)
    conclude(run, path, chosen.targets)
    return 130 if run.get("stopped") else 0


def conclude(run: dict, path: pathlib.Path, with_targets: bool) -> None:
    """Prints the tables and draws the chart."""
    for group in run["groups"]:
        say(f"\n{results.group_title(group)}")
        say("\n".join(records.markdown(results.HEADERS, results.rows(group))))
    if run["imports"]:
        say("")
        say("\n".join(results.imports_table([run])))
    if with_targets:
        say("")
        say("\n".join(targets.table([run])))
    say(f"\nrecorded in {path}")
    if any(entry["rates"] for group in run["groups"] for entry in group["entries"]):
        picture = path.with_suffix(".png")
        try:
            chart.draw(run["groups"], picture, records.caption(run))
        except ImportError:
            say('no chart: matplotlib is missing; pip install "keras3-resnet[benchmarks]"')
        else:
            say(f"drawn in {picture}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
