"""What the pods of a service log: lines of all of them, as one stream.

What has been written comes in the order of its times. Who follows has each line as it comes, of later pods too.
"""

import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from queue import Empty, SimpleQueue
from urllib.parse import urlencode

from mmgit.deliver.cluster.connection import Cluster
from mmgit.errors import ClusterError
from mmgit.frozen import dataclass
from mmgit.render.fixed import CONTAINER

_POLL_SECONDS = 3.0
_HAVE_BEGUN = ("Running", "Succeeded", "Failed")


@dataclass(frozen=True)
class Pods:
    """Which pods are meant: the path of their namespace's, and labels."""

    path: str
    labels: str

    def names(self, cluster: Cluster) -> list[str]:
        """Those that have begun. Raises `ClusterError`."""
        found = cluster.items(self.path, self.labels)
        return sorted(each["metadata"]["name"] for each in found if each.get("status", {}).get("phase") in _HAVE_BEGUN)

    def log(self, name: str, query: Mapping[str, int | str]) -> str:
        """The path of one pod's log."""
        return f"{self.path}/{name}/log?{urlencode({'container': CONTAINER, **query})}"


def written(cluster: Cluster, pods: Pods, query: Mapping[str, int]) -> list[bytes]:
    """The lines that all pods have written, in the order of their times. Raises `ClusterError`."""
    found: list[tuple[str, bytes]] = []
    for name in pods.names(cluster):
        last = ""
        for line in cluster.lines(pods.log(name, query)):
            last = _time_of(line) or last
            found.append((last, line))
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def followed(connect: Callable[[], Cluster], pods: Pods, query: Mapping[str, int]) -> Generator[bytes, None, None]:
    """The lines of all pods as they come, without an end. Raises `ClusterError` if nobody tells which pods there are.

    A pod is read by a thread with a connection of its own; where that breaks off it is read from there on.
    """
    lines: SimpleQueue[bytes] = SimpleQueue()
    readers: dict[str, threading.Thread] = {}
    ended: dict[str, float] = {}

    def read(name: str, query: Mapping[str, int]) -> None:
        try:
            for line in connect().lines(pods.log(name, {**query, "follow": "true"}), is_endless=True):
                lines.put(line)
        except ClusterError:
            pass  # it is asked again as long as there is such a pod
        finally:
            ended[name] = time.monotonic()

    while True:
        for name in pods.names(connect()):
            if name in readers and readers[name].is_alive():
                continue
            since = {"sinceSeconds": int(time.monotonic() - ended[name]) + 1} if name in ended else query
            readers[name] = threading.Thread(target=read, args=(name, since), daemon=True)
            readers[name].start()
        until = time.monotonic() + _POLL_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                yield lines.get(timeout=left)
            except Empty:
                break


def _time_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
