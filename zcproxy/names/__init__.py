"""Resolves what a user writes: names, files and references of tasks, spaces, subjects and proxies."""
