"""What all benchmarks share: the machine, processes that take turns, records and tables."""
