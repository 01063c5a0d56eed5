"""What looks like a secret: a variable by its name, and an address with a login in it."""

import re

LOGIN = re.compile(r"://[^\s/@:'\"$]*:[^\s/@'\"$]+@")
"""Finds where an address in a text holds a login."""
_WORDS = ("APIKEY", "CREDENTIALS", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN")
"""With what a word of such a name ends, as in `PGPASSWORD`."""
_ENDS = (
    *("API_KEY", "ACCESS_KEY", "ACCOUNT_KEY", "CONNECTION_STRING", "PRIVATE_KEY", "SIGNING_KEY", "STORAGE_KEY"),
    *("_PAT", "_PWD", "REDISCLI_AUTH"),
)
_WHERE = ("_FILE", "_NAME", "_PATH", "_URL")
"""What says where a secret is."""


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as its name says it."""
    name = name.upper()
    is_one = name.endswith(_ENDS) or any(word.endswith(_WORDS) for word in name.split("_"))
    return is_one and not name.endswith(_WHERE)
