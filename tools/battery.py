"""Runs the tests once per backend, each in a process of its own, and says what each took.

python tools/battery.py                             # all three backends
python tools/battery.py --backends jax -- -k golden # anything after -- goes to pytest
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BACKENDS = ("tensorflow", "jax", "torch")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--coverage", action="store_true", help="and report it, put together")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest")
    options = parser.parse_args()
    report = [run(backend, options) for backend in options.backends]
    if options.coverage:
        coverage("combine", "--quiet", *(f".coverage.{name}" for name in options.backends))
        coverage("report")
    for line, _ in report:
        print(line)
    return max(abs(code) for _, code in report)


def run(backend: str, options) -> tuple[str, int]:
    """One backend's tests: what they took, with pytest's last line, and the exit code."""
    command = [sys.executable, "-m", "pytest", "-n", str(options.workers), "--dist", "worksteal"]
    if options.coverage:
        command += ["--cov", "--cov-report="]
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        # Tests that no backend has a part in run beside the last, whose own are the quickest.
        "KERAS_RESNET_ONCE": options.backends[-1],
        "COVERAGE_FILE": str(ROOT / f".coverage.{backend}"),
        # Workers that each take all cores wait for one another: torch's by a factor of ten.
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // options.workers)),
    }
    print(f"\n== {backend} ==", flush=True)
    start, before = time.monotonic(), processor_seconds()
    last = ""
    with subprocess.Popen(
        [*command, *options.pytest], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as tests:
        for line in tests.stdout or ():
            print(line, end="", flush=True)
            last = line.strip("= \n") or last
    wall, busy = time.monotonic() - start, processor_seconds() - before
    took = f"{wall:.0f} s, {busy:.0f} s of processor"
    return f"{backend}: {last} ({took})", tests.returncode


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
