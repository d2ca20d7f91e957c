"""Trains samples of architectures, and so makes benchmarks."""
