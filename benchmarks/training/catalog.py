"""Who is timed, on what. Rows of data; this file imports no framework."""

import importlib.util
import itertools
from dataclasses import dataclass, replace

BACKENDS = ("tensorflow", "torch", "jax")
MODES = ("train", "infer")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class Net:
    """A network as it is timed.

    Args:
        build: what `keras_resnet.build` calls it.
        stride_on: the convolution of a bottleneck that downsamples, `None` for basic blocks.
            Rates of "1x1" (the paper, keras.applications) and "3x3" (v1.5: torchvision, timm)
            are never compared: v1.5 has 6 % more multiply-adds.
        size: side of the images, in pixels.
        classes: of the last layer.
        gigamacs: about how many multiply-adds an image costs, for estimates of time only.
        cpu_batch: images in a step on a CPU, unless `--batch` says otherwise.
        backends: where it is timed.
    """

    build: str
    stride_on: str | None
    size: int
    classes: int
    gigamacs: float
    cpu_batch: int
    backends: tuple[str, ...] = BACKENDS


NETS = {
    "resnet50": Net("resnet50", "1x1", 224, 1000, 3.9, 8),
    "resnet50v1.5": Net("resnet50", "3x3", 224, 1000, 4.1, 8, ("torch", "jax")),
    "resnet18": Net("resnet18", None, 224, 1000, 1.8, 8),
    "cifar_resnet56": Net("cifar_resnet56", None, 32, 10, 0.13, 128),
}
GPU_BATCH = 256


@dataclass(frozen=True)
class Contender:
    """A way to run a network.

    Args:
        label: for tables and charts.
        module: the file of this folder that knows how to load, build and step it.
        backends: the groups it takes part in.
        packages: what must be importable besides the backend.
        nets: the networks it has.
        modes: what it can do.
        dtypes: that it computes in.
        devices: that it runs on.
    """

    label: str
    module: str
    backends: tuple[str, ...]
    packages: tuple[str, ...] = ()
    nets: tuple[str, ...] = tuple(NETS)
    modes: tuple[str, ...] = MODES
    dtypes: tuple[str, ...] = DTYPES
    devices: tuple[str, ...] = ("cpu", "gpu")


OURS = "ours"
TORCH_NETS = ("resnet50v1.5", "resnet18")
CONTENDERS = {
    OURS: Contender("keras_resnet", "keras_models", BACKENDS, ("keras_resnet",)),
    "ours-compiled": Contender(
        "keras_resnet, jit_compile=True", "keras_models", ("torch",), ("keras_resnet",)
    ),
    "ours-keras-sgd": Contender(
        "keras_resnet, keras.optimizers.SGD",
        "keras_models",
        BACKENDS,
        ("keras_resnet",),
        modes=("train",),
    ),
    "stock": Contender('keras_resnet, layers="keras"', "keras_models", BACKENDS, ("keras_resnet",)),
    "keras.applications": Contender(
        "keras.applications", "keras_models", BACKENDS, nets=("resnet50",)
    ),
    "torchvision": Contender(
        "torchvision, channels_last", "torch_models", ("torch",), ("torchvision",), TORCH_NETS
    ),
    "torchvision-compiled": Contender(
        "torchvision, torch.compile", "torch_models", ("torch",), ("torchvision",), TORCH_NETS
    ),
    "timm": Contender(
        "timm, channels_last", "torch_models", ("torch",), ("torchvision", "timm"), TORCH_NETS
    ),
    "torch": Contender(
        "bare torch, channels_last", "torch_models", ("torch",), nets=("cifar_resnet56",)
    ),
    "flax": Contender(
        "flax + optax",
        "flax_models",
        ("jax",),
        ("flax", "optax"),
        ("resnet50v1.5", "resnet18", "cifar_resnet56"),
    ),
    "onnxruntime": Contender(
        "keras_resnet in onnxruntime",
        "exported",
        ("torch",),
        ("keras_resnet", "onnx", "onnxscript", "onnxruntime"),
        modes=("infer",),
        dtypes=("float32",),
        devices=("cpu",),
    ),
    "openvino": Contender(
        "keras_resnet in OpenVINO",
        "exported",
        ("torch",),
        ("keras_resnet", "onnx", "onnxscript", "openvino"),
        modes=("infer",),
        devices=("cpu",),
    ),
}


@dataclass(frozen=True)
class Case:
    """One contender at one task: all that a process is told."""

    contender: str
    backend: str
    net: str
    mode: str
    dtype: str
    batch: int
    size: int
    threads: int
    device: str

    @property
    def key(self) -> str:
        return f"{self.contender} {self.dtype}"


@dataclass(frozen=True)
class Group:
    """Cases that are timed in turns and compared with one another."""

    backend: str
    net: str
    mode: str
    batch: int
    size: int
    cases: tuple[Case, ...]

    @property
    def title(self) -> str:
        return f"{self.net} {self.mode} on {self.backend}, {self.batch} x {self.size} px"


def can(name: str, backend: str, net: str, mode: str, dtype: str, device: str) -> bool:
    """Whether a contender has this task at all."""
    row = CONTENDERS[name]
    return (
        backend in row.backends
        and net in row.nets
        and mode in row.modes
        and dtype in row.dtypes
        and device in row.devices
    )


def group(backend, net, mode, entries, *, device, threads, batch=None, size=None) -> Group:
    """A group of the (contender, dtype) pairs in `entries` that have this task."""
    row = NETS[net]
    batch = batch or (row.cpu_batch if device == "cpu" else GPU_BATCH)
    size = size or row.size
    cases = tuple(
        Case(name, backend, net, mode, dtype, batch, size, threads, device)
        for name, dtype in entries
        if can(name, backend, net, mode, dtype, device)
    )
    return Group(backend, net, mode, batch, size, cases)


def groups(backends, net, modes, dtypes, contenders, **task) -> list[Group]:
    """Every group of a network that was asked for and has somebody in it.

    Where bfloat16 is timed, our float32 takes part too, so that their ratio is of one run.
    """
    found = []
    for mode, backend, dtype in itertools.product(modes, backends, dtypes):
        entries = [(name, dtype) for name in contenders]
        if dtype != "float32" and OURS in contenders:
            entries.append((OURS, "float32"))
        made = group(backend, net, mode, entries, **task)
        asked = any(case.dtype == dtype for case in made.cases)
        if asked and backend in NETS[net].backends:
            found.append(made)
    return found


def missing(case: Case) -> list[str]:
    """The packages a case needs and this environment lacks."""
    packages = {"keras_models": ("keras",)}.get(CONTENDERS[case.contender].module, ())
    wanted = (case.backend, *packages, *CONTENDERS[case.contender].packages)
    return [name for name in wanted if importlib.util.find_spec(name) is None]


def extra_of(package: str) -> str:
    """The extra of this distribution that brings a package."""
    return package if package in BACKENDS else "benchmarks"


def with_dtype(case: Case, dtype: str) -> Case:
    return replace(case, dtype=dtype)
