"""What benchmarks/throughput.py is made of: contenders, their processes, turns and results."""
