"""An image registry over HTTP: the one door to it.

Requests are bounded in time, size and number of tries. Plain HTTP goes to this machine only. What comes back is
verified by whoever asked for it, and no message holds a secret. Source: OCI distribution-spec v1.1.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

from mmgit.errors import RegistryError
from mmgit.images.authorization import Authorizer, is_loopback
from mmgit.images.credentials import Find
from mmgit.lock import Blob

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
PAUSES_SECONDS = (0.1, 0.5, 2.0)
LONGEST_PAUSE_SECONDS = 20.0
DOCUMENT_LIMIT_BYTES = 4 * 2**20
_BLOCK_BYTES = 2**20
_AGAIN = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECT_LIMIT = 5
