"""Readers for untrusted files: archives, pickles and arrays are read without running code."""
