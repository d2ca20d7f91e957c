"""The sweep: builds networks, runs probes, reduces what they record to columns of numbers."""
