"""Puts results where they belong: the work tree, the index and the history of the repository, one writer at a time."""
