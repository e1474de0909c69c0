"""Runs the tests on every backend side by side, and prints what each took and what was skipped.

python tools/battery.py                             # all three backends
python tools/battery.py --backends jax -- -k golden # anything after -- goes to pytest
python tools/battery.py --seed 7                    # in the order of an earlier run

Each backend has a process of its own, and on a machine of many cores several (--workers). Tests run
in random order. Progress is printed as it is made; what a backend reports, when it ends. Ctrl-C
stops all of them. The exit status is 1 where a test failed or a process ended without results.
"""

import argparse
import collections
import contextlib
import dataclasses
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = pathlib.Path(os.environ.get("KERAS_RESNET_BATTERY", ROOT / ".pytest_cache" / "battery"))
# Tests that run beside one backend run beside the first: it has the most to do, and the others give
# way to it. torch compiles nothing.
BACKENDS = ("torch", "jax", "tensorflow")
PRINTING = threading.Lock()


@dataclasses.dataclass
class Results:
    """The results of one backend's tests.

    Args:
        backend: its name.
        status: exit status of pytest; negative for the signal that ended it.
        wall: seconds from start to end.
        busy: seconds of processor, of the processes it started too.
        memory: most bytes that one process held.
        counts: number of tests by outcome: passed, failed, skipped, xfailed.
        skips: number of skipped tests by reason.
        seconds: of the tests by folder.
    """

    backend: str
    status: int = 0
    wall: float = 0.0
    busy: float = 0.0
    memory: int = 0
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    skips: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    @property
    def failed(self) -> bool:
        return self.status != 0 or not self.counts

    def line(self) -> str:
        """One line of the summary."""
        counts = ", ".join(f"{self.counts[x]:,} {x}" for x in ORDER if self.counts[x])
        ended = "" if self.counts and self.status in (0, 1) else f"; ended with {self.status}"
        return (
            f"{self.backend:10} {counts or 'no results'} in {self.wall:.0f} s, "
            f"{self.busy:.0f} s of processor, {self.memory / 2**30:.1f} GiB{ended}"
        )

    def read(self, path: pathlib.Path) -> None:
        """Counts what pytest wrote with --junitxml."""
        with contextlib.suppress(FileNotFoundError):
            for case in ET.parse(path).iter("testcase"):
                outcome = next((mark for mark in case if mark.tag in OUTCOMES), None)
                name = "passed" if outcome is None else OUTCOMES[outcome.tag]
                if outcome is not None and outcome.tag == "skipped":
                    if outcome.get("type") == "pytest.xfail":
                        name = "xfailed"
                    else:
                        self.skips[outcome.get("message", "").removeprefix("Skipped: ")] += 1
                self.counts[name] += 1
                parts = case.get("classname", "").split(".")
                room = parts[1] if parts[0] == "tests" and len(parts) > 2 else parts[-1]
                self.seconds[room] += float(case.get("time", 0))


ORDER = ("passed", "skipped", "failed", "xfailed")
OUTCOMES = {"failure": "failed", "error": "failed", "skipped": "skipped"}


class Run:
    """The tests of one backend in a process group of their own."""

    def __init__(self, backend: str, options: argparse.Namespace):
        self.results, self.path = Results(backend), FOLDER / f"{backend}.xml"
        self.path.unlink(missing_ok=True)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command(options, self.path),
            cwd=ROOT,
            env=environment(backend, options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        if backend != options.backends[0]:
            give_way(self.process.pid)  # the end would wait for the first alone, on one core
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self) -> None:
        """Prints progress at once and the rest when the process ends; then reads the results."""
        assert self.process.stdout is not None
        rest: list[str] = []
        for line in self.process.stdout:
            if rest or line.startswith(("=", "ERROR", "Fatal")):
                rest.append(line)
            elif line.strip():
                say(f"{self.results.backend:10} {line.rstrip()}")
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.results.status = self.process.returncode
        self.results.wall = time.monotonic() - self.started
        self.results.busy = used.ru_utime + used.ru_stime
        self.results.memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.results.read(self.path)
        if self.results.failed:
            say("".join([f"\n== {self.results.backend} ==\n", *rest]))
        say(f"{self.results.backend:10} has ended")

    def stop(self, number: int = signal.SIGINT) -> None:
        """Sends a signal to the process and to all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def give_way(pid: int) -> None:
    """Lowers the priority of a process, and of its session: Linux shares the cores by sessions."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, 10)
        pathlib.Path(f"/proc/{pid}/autogroup").write_text("10")


def command(options: argparse.Namespace, results: pathlib.Path) -> list[str]:
    """pytest's, for one backend."""
    found = [sys.executable, "-m", "pytest", "-q", "-r", "fE", f"--randomly-seed={options.seed}"]
    found += [f"--junitxml={results}", "-o", "junit_logging=no"]
    if options.workers > 1:
        found += ["-n", str(options.workers), "--dist", "worksteal"]
    if options.coverage:
        found += ["--cov", "--cov-report="]
    return [*found, *options.pytest]


def environment(backend: str, options: argparse.Namespace) -> dict[str, str]:
    processes = len(options.backends) * options.workers
    return os.environ | {
        "KERAS_BACKEND": backend,
        # With coverage all there is is run: what users run, XLA's optimizations too.
        **({"JAX_DISABLE_MOST_OPTIMIZATIONS": "0"} if options.coverage else {}),
        "KERAS_RESNET_ONCE": options.backends[0],
        "COVERAGE_FILE": str(ROOT / f".coverage.{backend}"),
        # Processes that each take all cores wait for one another: torch's by a factor of ten.
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes)),
        "PYTHONUNBUFFERED": "1",
    }


def run(options: argparse.Namespace) -> list[Results]:
    """Runs all backends to their end.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the processes were stopped before.
    """
    runs: list[Run] = []
    try:
        runs += (Run(backend, options) for backend in options.backends)
        for one in runs:
            one.thread.join()
    except BaseException:
        for number, patience in ((signal.SIGINT, 10), (signal.SIGKILL, 5)):
            for one in runs:
                one.stop(number)
            for one in runs:
                one.thread.join(patience)
        raise
    return [one.results for one in runs]


def skipped(results: list[Results]) -> list[str]:
    """Every reason to skip: how many tests, on which backends."""
    reasons: dict[str, dict[str, int]] = collections.defaultdict(dict)
    for one in results:
        for reason, count in one.skips.items():
            reasons[reason][one.backend] = count
    return [
        f"{sum(where.values()):5} {reason} ({', '.join(f'{k} {v}' for k, v in where.items())})"
        for reason, where in sorted(reasons.items(), key=lambda item: -sum(item[1].values()))
    ]


def folders(results: list[Results]) -> list[str]:
    """Seconds of the tests of every folder, by backend; sessions' imports are left out."""
    total = sum((one.seconds for one in results), collections.Counter())
    lines = []
    for name, seconds in total.most_common():
        each = ", ".join(f"{one.backend} {one.seconds[name]:.0f}" for one in results)
        lines.append(f"{seconds:7.0f} {name} ({each})")
    return lines


def say(line: str) -> None:
    with PRINTING:
        print(line, flush=True)


def coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=True)


def interrupt(number, frame):
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--workers", type=int, help="processes of a backend; by default by cores")
    parser.add_argument("--seed", type=int, help="of the order of the tests; by default any")
    parser.add_argument("--coverage", action="store_true", help="measure and report it, combined")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    options.workers = options.workers or max(1, round(cores / len(options.backends) - 0.01))
    options.seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has jobs behind it ignore the first
        signal.signal(number, interrupt)
    say(f"In random order, as python tools/battery.py --seed {options.seed} runs them again")
    started = time.monotonic()
    try:
        results = run(options)
    except KeyboardInterrupt:
        say("Interrupted: all processes were stopped")
        return 130
    if options.coverage:
        coverage("combine", "--quiet", *(f".coverage.{name}" for name in options.backends))
        coverage("report")
    say("\nSeconds by folder:\n" + "\n".join(folders(results)))
    say("\nSkipped:\n" + ("\n".join(skipped(results)) or "    0"))
    say("\n" + "\n".join(one.line() for one in results))
    busy = sum(one.busy for one in results)
    say(f"together   {time.monotonic() - started:.0f} s, {busy:.0f} s of processor")
    return int(any(one.failed for one in results))


if __name__ == "__main__":
    sys.exit(main())
