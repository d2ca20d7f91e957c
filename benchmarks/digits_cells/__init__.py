"""Cells whose width and depth keep FLOPs within a band: a space for `benchmark build` on distorted digits."""
