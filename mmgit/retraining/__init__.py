"""Runs the training command that a model declares, in an environment of its own, and takes nothing of it on trust."""
