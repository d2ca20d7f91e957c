"""Chains of mobile blocks, trained on distorted digits by `benchmark build`."""
