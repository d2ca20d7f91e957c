"""Quantities of networks that a search goes by: scores, accuracies, costs, and look-up tables."""
