"""Runs of the benchmark that were never made."""

import pathlib

from benchmarks.common import machine
from benchmarks.training import results

ROOT = pathlib.Path(__file__).resolve().parents[2]


def entry(contender, rates, dtype="float32", memory=10**9):
    return {"contender": contender, "dtype": dtype, "rates": rates, "peak_bytes": memory}


def run_of(*entries, date="2026-01-02T03:04:05+00:00", device="cpu", **task) -> dict:
    """A run with one group, which by default decides the first target."""
    task = {"backend": "tensorflow", "net": "resnet50", "mode": "train", "batch": 8} | task
    return {
        "format": results.FORMAT,
        "date": date,
        "command": "python -m benchmarks.training.throughput",
        "commit": "0123456789ab",
        "device": device,
        "machine": machine.describe() | {"gpus": [{"name": "NVIDIA H200", "driver": "1"}]},
        "versions": {"keras": "3.15.1"},
        "settings": {"rounds": 3, "steps": 1, "threads": 2, "restart": False},
        "groups": [{**task, "size": 224, "entries": list(entries)}],
        "imports": [],
    }
