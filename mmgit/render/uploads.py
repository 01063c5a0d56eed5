"""Who uploads what a service records: a container beside it, which shares its spool and nothing else."""

from typing import Any

from mmgit.desired import DesiredService, Uploads

Object = dict[str, Any]

CONTAINER = "uploader"
GRACE_SECONDS = 30
"""How long it may take to upload the last records, after the server has ended."""
_CPU, _MEMORY = "50m", "256Mi"
_MEMORY_BYTES = 384 * 2**20
_TIMES = 4
"""A batch takes twice its size while it becomes Parquet, and so much is allowed."""


def kubernetes_container(uploads: Uploads, spool: Object) -> Object:
    """A native sidecar: it starts before the server and ends after it."""
    credentials = {"envFrom": [{"secretRef": {"name": uploads.credentials}}]} if uploads.credentials else {}
    return {
        "name": CONTAINER,
        "image": uploads.image,
        "args": arguments(uploads),
        **credentials,
        "restartPolicy": "Always",
        "resources": {
            "requests": {"cpu": _CPU, "memory": _MEMORY},
            "limits": {"memory": f"{_memory_bytes(uploads) // 2**20}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [spool],
    }


def compose_service(service: DesiredService, uploads: Uploads, entry: Object, spool: Object, state: str) -> Object:
    """One for all replicas of a service; it runs as the same user, and is stopped after them."""
    place = uploads.folder
    folder = {"type": "bind", "source": place, "target": place, "bind": {"create_host_path": False}}
    secrets = {"path": f"{state}/secrets/{uploads.credentials}.env", "required": True, "format": "raw"}
    return {
        "image": uploads.image,
        "command": arguments(uploads),
        "restart": "unless-stopped",
        "user": entry.get("user"),
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": f"{GRACE_SECONDS + 15}s",
        "deploy": {"resources": {"limits": {"cpus": "1", "memory": str(_memory_bytes(uploads)), "pids": 256}}},
        "labels": {"mmgit.dev/group": service.group, "mmgit.dev/uploads": service.name},
        "volumes": [spool, *([folder] if place else [])],
        **({"env_file": [secrets]} if uploads.credentials else {}),
        "networks": {"services": {}} if place else {"outside": {}},
    }


def arguments(uploads: Uploads, grace_seconds: int = GRACE_SECONDS) -> list[str]:
    """What the uploader has to be told of the store, how often to upload, and how long after it was told to stop."""
    endpoint = ["--endpoint", uploads.endpoint] if uploads.endpoint else []
    pace = ["--seconds", f"{uploads.seconds:g}", "--size-bytes", str(uploads.size_bytes)]
    return ["--store", uploads.store, *endpoint, *pace, "--grace-seconds", str(grace_seconds)]


def _memory_bytes(uploads: Uploads) -> int:
    return _MEMORY_BYTES + _TIMES * uploads.size_bytes
