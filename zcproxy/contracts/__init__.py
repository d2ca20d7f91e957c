"""Interfaces that users implement: tasks, search spaces, super-networks, datasets."""
