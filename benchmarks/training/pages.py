"""The page docs/performance.md, all of its figures taken from runs."""

from itertools import groupby, product

from benchmarks.common import records
from benchmarks.training import results, roofline, targets
from benchmarks.training.catalog import DTYPES, MODES, NETS

TARGETS_COMMAND = "python -m benchmarks.training.throughput --targets"
PAGE_COMMAND = "python tools/performance.py"
GPU_COMMAND = "python -m benchmarks.training.throughput --device gpu --rounds 5"
HEAD = f"""<!-- Written by tools/performance.py from benchmarks/results; edit those. -->

# Performance

`benchmarks/training/` times our networks side by side with what a user would pick instead:
`keras.applications`, our own networks of stock Keras layers (`layers="keras"`), torchvision
(eager and under `torch.compile`), timm, flax with optax, and for inference onnxruntime and
OpenVINO on an export of our network.

## What is promised

Ratios of medians within one run: float32 unless the row says otherwise, batch {targets.BATCH},
{targets.SIZE} pixels, on a CPU.
"""
READ = """## How to read the tables

* **images/s** is the median over the rounds, with the lowest and the highest round beside it.
* **ours / it** divides our median by that contender's in the same run and dtype: above 1, ours is
  faster. Beside it are the lowest and the highest ratio of one round. Where that range holds 1,
  the two cannot be told apart. Figures of different runs or groups are not to be divided.
* **training** is one step as users write it: forward, cross-entropy, backward, SGD with momentum
  0.9 (each library's own; for our networks `keras_resnet.training.SGD`), on one batch that is in
  (device) memory already. Keras contenders run the train function that `model.fit` calls, which
  also keeps the loss metric; reading data and callbacks are left out on all sides. **inference**
  is one batch to logits: the function that `model.predict` calls, `torch.inference_mode`, a
  jitted `apply`, or one call of the runtime. Our models keep their batch normalization: on torch
  and a CPU each call scales a kernel by it where that costs less than another pass over the
  map. The exported runtimes fold it once and for all.
* **JAX on a CPU**: XLA has slow loops for the gradients of 1x1 convolutions and of max pools,
  where ours ask for products of matrices and for maxima of slices; on a GPU or TPU they ask as
  Keras does. Of a step of the CIFAR network, ours or flax's, nearly half is spent in transposing
  maps for the gradients of kernels, and what that takes changes with where XLA puts the buffers.
* **jit_compile=True** and `torch.compile(model)` on torch: the compiler sees a network as one graph
  of its own operations, without breaks, and one more for the optimizer. The rows here are of a
  version that left the network as it was. What a compiler gains on a CPU was not measured.
* **bfloat16** is the policy `mixed_bfloat16` in Keras, autocast for training and bfloat16 weights
  for inference in torch, `dtype=bfloat16` in flax, and OpenVINO's precision hint.
* **resnet50** is the paper's network, which `keras.applications` has too (with a bias in every
  convolution); **resnet50v1.5** strides the 3x3 convolution, as torchvision, timm and most flax
  code do. The two differ in multiply-adds and are compared only with their own kind.
* **memory** on a CPU is the largest resident size of the contender's process, from building to
  the last step, less its size once everything was imported; compiling is part of it, and for the
  exported runtimes the export. On a GPU it is the peak of the framework's own allocator.
* **build** makes the network; **first step** adds the optimizer, tracing and compiling, for flax
  the variables too, and for the exported runtimes the export.

Every contender lives in a process of its own with the same number of threads, pinned to as many
cores. They compute in turns, A B C A B C ..., one at a time; a turn is a step that does not count
and several that do.
"""

COUNTED = """This tries on a GPU what the docs promise of one, in at most nine minutes (not run):

```shell
python -m benchmarks.gpu --out gpu.json
```

Without a GPU, operators and bytes of a step were counted on a device that torch only pretends to
have, forward and backward, batch 256, on 2026-12-01 with torch 2.13.0 and Keras 3.15.1. It says
nothing of time. torchvision 0.28 was counted likewise.

| ResNet-50 v1.5 on torch | operators | GB | torchvision's | bytes, ratio |
|---|---:|---:|---:|---:|
| float32 | 502 | 200.2 | 200.2 | 1.00 |
| mixed_bfloat16 | 622 | 101.7 | 101.3 | 1.00 |
| mixed_bfloat16, normalized over devices | | 118.7 | 101.3 | 1.17 |

Over devices, a normalization reads its map once more forward, and its gradient once more backward,
for the sums that the devices exchange. No step of any kind of network copies a number between
host and device, nor, GoogLeNet left out, a map in order to pool it:

```shell
KERAS_BACKEND=torch python -m pytest tests/layers/test_torch_gpu.py
```
"""


def newest(runs: list[dict]) -> list[tuple[dict, dict]]:
    """(run, group) of the newest run of every task, in the order of the tasks."""
    found = {}
    for run in runs:
        for group in run["groups"]:
            if any(entry["rates"] for entry in group["entries"]):
                found[(run["device"], *task(group))] = (run, group)
    nets, modes = list(NETS), list(MODES)
    return sorted(
        found.values(),
        key=lambda pair: (
            pair[0]["device"],
            modes.index(pair[1]["mode"]),
            nets.index(pair[1]["net"]),
            pair[1]["backend"],
            DTYPES.index(results.dtype_of(pair[1])),
        ),
    )


def task(group: dict) -> tuple:
    keys = ("backend", "net", "mode", "batch", "size")
    return (*(group[key] for key in keys), results.dtype_of(group))


def chart_name(pair: tuple[dict, dict]) -> str:
    run, group = pair
    return f"throughput-{run['device']}-{group['net']}-{group['mode']}.png"


def charts(runs: list[dict]) -> dict[str, tuple[list[dict], str]]:
    """File name to the groups a chart shows and its caption."""
    found = {}
    for name, of_name in groupby(newest(runs), chart_name):
        pairs = list(of_name)
        captions = dict.fromkeys(records.caption(run) for run, _ in pairs)
        found[name] = ([group for _, group in pairs], "; ".join(captions))
    return found


def page(runs: list[dict]) -> str:
    pairs = newest(runs)
    cpu = [pair for pair in pairs if pair[0]["device"] == "cpu"]
    gpu = [pair for pair in pairs if pair[0]["device"] == "gpu"]
    lines = [HEAD, *targets.table(runs), "", READ, "## On a CPU", ""]
    lines += sections(cpu) if cpu else not_measured("python -m benchmarks.training.throughput")
    lines += unmeasured(cpu) if cpu else []
    lines += ["## Import", ""]
    if any(run["imports"] for run in runs):
        lines += ["What a fresh Python process takes.", "", *results.imports_table(runs), ""]
    else:
        lines += not_measured("python -m benchmarks.training.throughput --mode import")
    lines += ["## On a GPU", ""]
    lines += gpu_sections(gpu) if gpu else not_measured(GPU_COMMAND)
    lines += [COUNTED]
    return "\n".join([*lines, *reproduce(runs)]) + "\n"


def not_measured(command: str) -> list[str]:
    return ["Not measured. The command is", "", "```shell", command, "```", ""]


def unmeasured(pairs) -> list[str]:
    """Tasks at which nothing was timed, and the command that would."""
    done = {
        (group["net"], group["mode"], entry["dtype"], group["backend"])
        for _, group in pairs
        for entry in group["entries"]
        if entry["rates"]
    }
    rows = []
    for net, mode, dtype in product(NETS, MODES, DTYPES):
        backends = NETS[net].backends
        left = [name for name in backends if (net, mode, dtype, name) not in done]
        if left:
            command = f"--net {net} --mode {mode} --dtype {dtype} --backend {','.join(left)}"
            rows.append((net, results.TASKS[mode], dtype, ", ".join(left), f"`{command}`"))
    if not rows:
        return []
    headers = (
        "network",
        "task",
        "dtype",
        "not measured on",
        "`python -m benchmarks.training.throughput`",
    )
    return ["### Not measured", "", *records.markdown(headers, rows), ""]


def sections(pairs) -> list[str]:
    """A chart for each network and mode, and its tables."""
    lines = []
    for name, of_name in groupby(pairs, chart_name):
        shown = list(of_name)
        first = shown[0][1]
        heading = f"{first['net']}, {results.TASKS[first['mode']]}"
        lines += [f"### {heading}", "", f"![Images per second: {heading}](images/{name})", ""]
        for run, group in shown:
            lines += [f"{results.group_title(group)} ({records.caption(run)}):", ""]
            lines += [*records.markdown(results.HEADERS, results.rows(group)), ""]
    return lines


def gpu_sections(pairs) -> list[str]:
    lines = [
        "**MFU** is the share of the GPU's peak arithmetic that the images need, a training step",
        "counting as three forward passes. **GB an image, at most** is the memory traffic the GPU",
        "could have had in the time of one image; **at least** is what batch normalization fused",
        "with ReLU would need. Where the two are close, memory is what holds the network back.",
        "",
        *sections(pairs),
        "### Against the roofline",
        "",
    ]
    headers = ("task", "contender", "dtype", "images/s", "MFU", "GB an image, at most", "at least")
    rows = [row for run, group in pairs for row in roofline_rows(run, group)]
    return [*lines, *records.markdown(headers, rows), ""]


def roofline_rows(run: dict, group: dict) -> list[tuple[str, ...]]:
    """MFU and memory traffic of each entry; empty where the GPU or the costs are not known."""
    peak = roofline.peak_of(records.hardware(run))
    costs = next((e["costs"] for e in group["entries"] if e["rates"] and e.get("costs")), None)
    if peak is None or costs is None:
        return []
    rows: list[tuple[str, ...]] = []
    for entry in group["entries"]:
        if not entry["rates"]:
            continue
        rate, mode, dtype = results.rate(entry), group["mode"], entry["dtype"]
        share = roofline.utilization(rate, costs["macs"], mode, dtype, peak)
        rows.append(
            (
                f"{group['net']} {mode}, {group['backend']}",
                results.label(entry),
                dtype,
                f"{rate:.0f}",
                "" if share is None else f"{share:.1%}",
                f"{roofline.gigabytes_an_image(rate, peak):.2f}",
                f"{roofline.least_gigabytes(costs['conv_outputs'], mode, dtype):.2f}",
            )
        )
    return rows


def reproduce(runs: list[dict]) -> list[str]:
    """Commands, machines and versions."""
    commands = [records.command_of(run) for run in reversed(runs)]
    lines = [
        "## How to reproduce",
        "",
        'Contenders come with `pip install "keras3-resnet[benchmarks]"` (beside a CPU build of',
        "torch, see the note in pyproject.toml); one that is not installed is reported as missing.",
        "Leave the machine otherwise idle. What the table of promises needs:",
        "",
        "```shell",
        next((c for c in commands if "--targets" in c), TARGETS_COMMAND),
        PAGE_COMMAND,
        "```",
        "",
    ]
    for run in runs:
        machine, settings = run["machine"], run["settings"]
        hardware = [f"{machine['cpu']}, {machine['cores']} cores"]
        hardware += [f"{gpu['name']}, driver {gpu['driver']}" for gpu in machine["gpus"]]
        versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
        lines += [
            f"Measured on {run['date'][:10]} at commit {run['commit']}"
            f"{', stopped early' if run.get('stopped') else ''}:",
            "",
            "```shell",
            records.command_of(run),
            "```",
            "",
            f"* {'; '.join(hardware)}; {machine['memory_bytes'] / 2**30:.0f} GiB; "
            f"{' '.join(machine['instructions'])}",
            f"* {settings['threads']} threads, {settings['rounds']} rounds of "
            f"{settings['steps']} steps",
            f"* Python {machine['python']}, {machine['system']}, {versions}",
            "",
        ]
    return lines[:-1]
