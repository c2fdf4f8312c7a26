"""What the benchmarks share: the record of a problem, its contenders, timing, goals, reports."""
