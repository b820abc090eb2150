"""The version of the package; its metadata and its wheel are built with it."""

__version__ = "0.1.0"
