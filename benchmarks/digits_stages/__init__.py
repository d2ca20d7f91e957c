"""Residual networks with schedules of reductions and doublings, trained on distorted digits by `benchmark build`."""
