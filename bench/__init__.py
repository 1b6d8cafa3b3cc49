"""Measured figures, as tables: `make bench`."""
