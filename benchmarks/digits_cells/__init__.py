"""Cells whose width and depth keep FLOPs within a band: trained on distorted digits."""
