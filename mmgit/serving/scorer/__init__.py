"""The scorer: the user's interpreter, the user's packages and `score.py`. Standard library only, importable under any package name."""
