"""Which runtimes run a score file. Imports nothing, as whoever reads manifests asks it, too."""

SCRIPTED = ("python", "spark-py")
"""The runtimes that run a score file; the others are `runtimes.RUNTIMES`."""
