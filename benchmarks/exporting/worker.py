"""The process of one contender of `benchmarks.exporting.runtimes`."""

from benchmarks.common.processes import serve
from benchmarks.exporting.runtimes import prepare

if __name__ == "__main__":
    serve(prepare)
