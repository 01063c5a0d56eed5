"""Blueprints: YAML with a few directives, whose `{{ expressions }}` fill whole leaves and so yield objects, never text.

Parsed files come in; a function from variables to objects comes out. Nothing here reads YAML, writes, or knows what
the objects mean. Only this package uses Jinja2.
"""
