"""Compiles what changed since the last compile, where that is enough.

What the state remembers, what lies there now and what git holds come in; the same files come out as from a full
compile. Whatever is unusual (an error, another kind of file, a file that somebody edited) is left to the full compile.
"""
