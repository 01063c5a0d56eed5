"""A number and what it counts, as people write it. Imports nothing, as the quickest commands say it, too."""


def counted(number: int, noun: str) -> str:
    """`1 file`, `1,200 files`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
