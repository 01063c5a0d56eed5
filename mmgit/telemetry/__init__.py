"""Reading what services recorded: how much, how fast, how far it moved from a reference. Never part of a service."""
