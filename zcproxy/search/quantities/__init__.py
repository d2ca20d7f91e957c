"""Quantities of networks that a search uses: scores, accuracies, costs, and look-up tables."""
