"""The producer named in every record."""

from importlib.metadata import version

PRODUCER = f"clinsearch {version('clinsearch')}"
