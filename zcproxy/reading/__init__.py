"""Readers for files of strangers: archives, pickles and arrays are read without running code."""
