"""Properties of any module: its device, its costs, an untrained network of an architecture."""
