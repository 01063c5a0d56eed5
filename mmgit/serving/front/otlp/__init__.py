"""Traces and metrics to an OTLP receiver: loaded only where the settings name one. Standard library only."""
