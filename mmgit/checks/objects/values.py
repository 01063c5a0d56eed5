"""What Kubernetes accepts as names, labels, quantities and images: rules on text that schemas do not state."""

import functools
import re

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"

_remembered = functools.lru_cache(maxsize=8192)  # the same few names, labels and amounts come again and again
is_label_name = _remembered(re.compile(_LABEL).fullmatch)
"""A name that becomes part of a host name: services, containers, namespaces."""
is_name = _remembered(re.compile(_SUBDOMAIN).fullmatch)
"""The name of any other object."""
is_label_key = _remembered(re.compile(rf"(?:{_SUBDOMAIN}/)?{_VALUE}".replace(r"\Z", "/")).fullmatch)
is_label_value = _remembered(re.compile(rf"{_VALUE}?").fullmatch)
is_quantity = _remembered(re.compile(r"[0-9]+(?:\.[0-9]+)?(?:m|k|M|G|T|P|E|[KMGTPE]i|[eE][-+]?[0-9]{1,2})?").fullmatch)
is_image_by_digest = re.compile(r"[a-z0-9][a-z0-9._:/-]*(?<![:/._-])@sha256:[0-9a-f]{64}").fullmatch
"""A repository and a digest; a tag beside the digest would say something that nobody checks."""


def has_tag(image: str) -> bool:
    """Whether the last part of an image's repository carries a tag."""
    return ":" in image.partition("@")[0].rpartition("/")[2]
