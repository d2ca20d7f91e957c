"""One untrained network: its structure, the probes that stimulate it, and the columns measured on it."""
