"""What a result depends on besides the code: hardware and versions."""

import importlib.metadata
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterable

INSTRUCTIONS = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "amx_bf16",
    "avx_vnni",
    "avx512_vnni",
    "amx_int8",
)
PACKAGES = (
    "keras3-resnet",
    "keras",
    "numpy",
    "tensorflow",
    "tensorflow-cpu",
    "torch",
    "torchvision",
    "timm",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "openvino",
    "ai-edge-litert",
)


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """The distributions that are installed, of those that matter here."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> list[dict[str, str]]:
    """Name, memory and driver of NVIDIA GPUs that are visible here."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not shutil.which("nvidia-smi"):
        return []
    fields = ("name", "memory.total", "driver_version")
    asked = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    ran = subprocess.run(asked, capture_output=True, text=True)
    if ran.returncode:
        return []
    return [
        dict(zip(("name", "memory", "driver"), line.split(", "), strict=True))
        for line in ran.stdout.splitlines()
    ]


def describe() -> dict:
    """The machine, without anything that names it or its user."""
    return {
        "cpu": cpu_name(),
        "instructions": instructions(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": gpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def cpu_lines(field: str) -> list[str]:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith(field)]


def cpu_name() -> str:
    return next(iter(cpu_lines("model name")), platform.processor() or platform.machine())


def instructions() -> list[str]:
    """The vector and matrix instructions that decide about float32, bfloat16 and int8."""
    flags = next(iter(cpu_lines("flags")), "").split()
    return [flag for flag in INSTRUCTIONS if flag in flags]


def commit() -> str | None:
    """The commit of the source the script lies in, "+" where files differ from it."""
    here = pathlib.Path(__file__).parent

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True)

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except FileNotFoundError:
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def command(module: str, arguments: list[str]) -> str:
    """A command line for a record, without the folders of this machine."""
    names = [
        pathlib.Path(word).name if pathlib.Path(word).is_absolute() else word for word in arguments
    ]
    return shlex.join(["python", "-m", module, *names])
