"""Input pipelines timed side by side; see benchmarks/input.py."""
