"""Changes of declared files: what the user asked for comes in, a `Change` comes out. Nothing is written here."""
