"""Jobs: the pool of worker processes, progress, and a stop by Ctrl-C."""
