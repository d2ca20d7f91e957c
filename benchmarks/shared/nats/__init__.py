"""Datasets and releases of NATS-Bench, whose topology space is NAS-Bench-201."""
