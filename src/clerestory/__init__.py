"""Publish dashboards and open data from confidential records; nobody in them can be seen or worked out."""

__version__ = "0.1.0"
