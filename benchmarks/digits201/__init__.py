"""Cells of NAS-Bench-201 trained on distorted digits; the files beside this one were made by `benchmark build`."""
