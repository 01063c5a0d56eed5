"""Formats of model files: told by names and first bytes, and what loading a file would import. Nothing is loaded."""
