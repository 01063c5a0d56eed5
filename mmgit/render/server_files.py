"""The two files that a server reads: its settings, and the digests of its keys. JSON, one field, item or key a line."""

import hashlib
import json
from typing import Any, NamedTuple

from mmgit.desired import DesiredService

_encoded = json.JSONEncoder(sort_keys=True, separators=(",\n  ", ": ")).encode


class ServerFiles(NamedTuple):
    """The texts of both files, and the digest by which a change of the settings is seen."""

    settings: str
    settings_digest: str
    keys: str


def server_files(service: DesiredService) -> ServerFiles:
    """The files of one service."""
    settings = settings_json(service)
    return ServerFiles(settings, digest_of(settings), keys_json(service))


def settings_json(service: DesiredService) -> str:
    """`settings.json`: what belongs to the environment. A change of it restarts the replicas."""
    text = _encoded(service.settings)
    return f"{{\n  {text[1:-1]}\n}}\n"


def keys_json(service: DesiredService) -> str:
    """`keys.json`: re-read by the server whenever it changes. Digests only, never a key."""
    if not service.keys:
        return '{"keys": []}\n'
    keys: list[dict[str, Any]] = [
        {"name": key.name, "id": key.id, "digest": key.digest} | ({"expires": key.expires} if key.expires else {})
        for key in sorted(service.keys, key=lambda key: key.name)
    ]
    return '{"keys": [\n' + ",\n".join(f"  {json.dumps(key)}" for key in keys) + "\n]}\n"


def digest_of(text: str) -> str:
    """What stands where a change of `text` must be seen."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
