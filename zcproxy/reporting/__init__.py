"""Pages of runs: one HTML file per run of evolution, table or search, which asks no host for anything."""
