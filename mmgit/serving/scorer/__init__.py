"""The scorer, run by the user's interpreter. Standard library only, and importable under any package name."""
