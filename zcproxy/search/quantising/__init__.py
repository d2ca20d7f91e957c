"""Bit widths as genes beside the architecture: their space, what they cost, and the fake-quantised network.

Architecture and bit widths are searched together as in S. N. Sridhar, M. Szankin, F. Chen, S. Sundaresan, A. Sarah:
SimQ-NAS: Simultaneous Quantization Policy and Neural Architecture Search, arXiv 2312.13301, 2023.
"""
