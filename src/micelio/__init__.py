"""Micelio, the forge: web, typed surface and jobs over one data directory."""

__version__ = "0.3.0"
