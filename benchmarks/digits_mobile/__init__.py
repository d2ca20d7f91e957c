"""Chains of mobile blocks: a space for `benchmark build` on distorted digits."""
