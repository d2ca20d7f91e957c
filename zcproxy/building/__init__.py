"""Builds benchmarks: trains a sample of architectures into a folder with a table of labels."""
