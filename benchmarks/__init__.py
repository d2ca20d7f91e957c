"""Benchmarks: search spaces with measured accuracies, one folder per family, each with one `BENCHMARK`."""
