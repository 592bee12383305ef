"""Writes of the labeling desk: the queue (`frontier`), leases (`assignments`), answers (`annotations`), `labels`."""
