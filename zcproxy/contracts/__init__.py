"""What users implement: tasks, search spaces, super-networks, datasets."""
