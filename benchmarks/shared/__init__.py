"""Code that several benchmarks share: label tables, tasks on them, imports, and parts of networks."""
