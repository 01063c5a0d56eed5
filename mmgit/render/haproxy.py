"""The text of HAProxy's configuration: one file for the proxy, and one backend for each service.

What a service puts in is a checked name or a number; any other text is refused, since HAProxy's quoting and line
structure must not be reachable by a value.
"""

import json
import math
import re

from mmgit.desired import Autoscale, DesiredService
from mmgit.render import context

PORT = 8443
FOLDER = "/etc/haproxy"
CERTIFICATE = f"{FOLDER}/tls/tls.pem"
"""HAProxy reads the key from the file beside it, with `.key` after the name."""
USER_ID = 65532
# Slots for replicas that are not declared, for `docker compose up --scale`.
_LEAST_SLOTS = 10

_word = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?").fullmatch


def proxy_cfg() -> str:
    """What all services share: TLS, the way to a service's backend, answers when there is none."""
    errors = "\n".join(
        f"    http-error status {status} content-type application/json string '{_error(code, message)}'{headers}"
        for status, code, message, headers in (
            (400, "bad_request", "the request is not HTTP as it is defined", ""),
            (408, "timeout", "the request did not arrive in time", ""),
            (502, "unavailable", "the service did not answer", ""),
            (503, "busy", "the service has no free place", " hdr Retry-After 1"),
            (504, "timeout", "the service did not answer in time", ""),
        )
    )
    return f"""\
global
    log stdout format raw local0 info
    maxconn 4000
    uid {USER_ID}
    gid {USER_ID}
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    hard-stop-after 70s

resolvers docker
    nameserver docker 127.0.0.11:53
    accepted_payload_size 8192
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold obsolete 5s
    hold nx 5s

defaults
    mode http
    log global
    option httplog
    option dontlognull
    option forwardfor
    option redispatch 1
    retries 3
    retry-on conn-failure
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
{errors}

frontend https
    bind :{PORT} ssl crt {CERTIFICATE} alpn h2,http/1.1
    http-request return status 200 content-type text/plain string ok if {{ path / }} METH_GET
    use_backend service-%[path,field(5,/)] if {{ path_beg {context.ROUTES} }}
    default_backend nothing

backend nothing
    http-request return status 404 content-type application/json string '{_error("not_found", "no such service")}'
"""


def service_cfg(service: DesiredService) -> str:
    """The backend of a service: as many calls a replica as it scores at once, then a queue that all replicas share.

    A server that scores several calls together has to hold those that wait: then the queue is in the replicas.
    """
    name = _checked(service.name)
    together = max(1, min(service.batch_max_requests, service.queue))
    places = service.concurrency * together + service.queue
    most = places if together > 1 else service.concurrency
    queue_milliseconds = math.ceil(service.timeout_seconds * 1000) if service.queue else 1
    server_seconds = math.ceil(service.timeout_seconds) + 5
    return f"""\
backend service-{name}
    balance leastconn
    option httpchk GET /ready
    http-check expect status 200
    timeout queue {queue_milliseconds}ms
    timeout server {server_seconds}s
    http-request set-var(txn.places) nbsrv,mul({places})
    http-request deny deny_status 503 if {{ be_conn,sub(txn.places) gt 0 }}
    default-server check port 8081 inter 1s fastinter 500ms fall 2 rise 1 maxconn {most}
    server-template replica 1-{_slots(service)} {host(service)}:8080 resolvers docker init-addr none
"""


def host(service: DesiredService) -> str:
    """The name under which the proxy finds the replicas, in the network that both share."""
    return f"{_checked(service.name)}.services"


def _slots(service: DesiredService) -> int:
    most = service.scale.max if isinstance(service.scale, Autoscale) else service.scale.replicas
    return max(most, _LEAST_SLOTS)


def _error(code: str, message: str) -> str:
    """The body of an error; it holds no single quote, which would end HAProxy's string."""
    return json.dumps({"error": {"code": code, "message": message}})


def _checked(text: str) -> str:
    if _word(text) is None:
        raise ValueError(f"`{text}` is no plain name and cannot stand in haproxy.cfg")
    return text
