"""The image's facts and the settings folder in, one frozen `Settings` out. Reads two small JSON files, writes nothing.

Command line of the server, in an image and anywhere else; the defaults are the image's:
`python3 -I main.py [--image-facts /srv/mmgit.json] [--settings FOLDER] [--keys FOLDER] [--packages FOLDER]`.
Without options the folders come from `MMGIT_SETTINGS` and `MMGIT_KEYS`, else /etc/mmgit/settings and /etc/mmgit/keys.
Where files cannot travel with an image, `MMGIT_SETTINGS_JSON` is settings.json itself; no folder is read then, and
`MMGIT_KEYS_JSON` is keys.json. Without that there are no keys, so nobody may call.

A local server (`mmgit serve`) starts the same file with a settings.json that also names the places and ports:
`{"service": "digits", "authentication": "none", "scoring_folder": "…/scoring", "interpreter": "…/venv/bin/python",
"dependencies": [], "sdk_folder": "<folder that holds mmgit/>", "scorer_packages": "<folder that holds orjson/>",
"bind": "127.0.0.1", "port": 8080, "admin_port": 0, "drain_seconds": 0}`. Port 0 takes a free one; the log line with
event `listening` tells both.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from mmgit.serving.scorer.runtimes import RUNTIMES, SCRIPTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IMAGE_FACTS = "/srv/mmgit.json"
SETTINGS_FOLDER = "/etc/mmgit/settings"
KEYS_FOLDER = "/etc/mmgit/keys"
SETTINGS_VARIABLE, KEYS_VARIABLE = "MMGIT_SETTINGS_JSON", "MMGIT_KEYS_JSON"

Json = Any

_FILE_BYTES_MAX = 1024 * 1024
_BODY_BYTES_MAX = 2**32 - 1
_SPOOL_BYTES_MIN = 1024 * 1024


class SettingsError(Exception):
    """A settings file is missing or says something that cannot be; the message names the file and the field."""


@dataclass(frozen=True)
class ImageFacts:
    """What the image is, as its builder wrote it."""

    runtime: str = "python"
    scoring: str = "score.py"
    models: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    schema: str | None = None
    sample: str | None = None
    outputs: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    interpreter: str = ""
    """A Python that the dependencies bring, with themselves where it looks for them."""


@dataclass(frozen=True)
class Recording:
    """What is kept of each request: ids, times, sizes and status, and more where it is asked for.

    Who uploads the spool gets at its records when they are `seal_seconds` old; with 0 when a segment is full.
    """

    inputs: bool = False
    outputs: bool = False
    redact: tuple[str, ...] = ()
    spool_bytes: int = 256 * 1024 * 1024
    seal_seconds: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What the environment says about this service; every place on disk is here too, with the image's as default."""

    service: str
    environment: str = ""
    group: str = "default"
    manifest: str = ""
    models: tuple[str, ...] = ()
    concurrency: int = 1
    spares: int = 0
    queue: int = 10
    batch_max_requests: int = 1
    batch_max_bytes: int = 1024 * 1024
    timeout_seconds: float = 60.0
    startup_timeout_seconds: float = 300.0
    drain_seconds: float = 5.0
    max_body_bytes: int = 100 * 1024 * 1024
    authentication: str = "keys"
    keys_folder: str = KEYS_FOLDER
    scoring_folder: str = "/srv/scoring"
    interpreter: str = sys.executable
    dependencies: tuple[str, ...] = ("/opt/dependencies",)
    sdk_folder: str = "/opt/mmgit/sdk"
    scorer_packages: str = "/opt/mmgit/scorer"
    spool_folder: str = "/var/spool/mmgit"
    """`{host}` in it is the name of the host: replicas that share a volume have a folder each."""
    otlp: str = ""
    otlp_logs: bool = False
    origins: tuple[str, ...] = ()
    bind: str = ""
    port: int = 8080
    admin_port: int = 8081
    telemetry: Recording | None = None
    image: ImageFacts = ImageFacts()
    keys_text: str | None = None
    """keys.json itself, where it is given with the settings; no folder is read then."""

    @property
    def version(self) -> str:
        """The number of the manifest; none for a local server."""
        return self.manifest.rpartition("/")[2]


def load(image_facts: Path, settings_folder: Path, keys_folder: Path, variables: Mapping[str, str]) -> Settings:
    """The settings of one server. Fields that this version does not know are passed over: a newer compiler wrote them.

    Raises:
        SettingsError: a file is missing, broken, or holds a value out of its range.
    """
    facts_given = _read(image_facts)
    settings_file: Path | str = settings_folder / "settings.json"
    keys_text = None
    if SETTINGS_VARIABLE in variables:
        settings_file, keys_text = SETTINGS_VARIABLE, variables.get(KEYS_VARIABLE, '{"keys": []}')
        given = _object(variables[SETTINGS_VARIABLE].encode(errors="surrogateescape"), settings_file)
    else:
        given = _read(settings_folder / "settings.json")
    if "service" not in given:
        raise SettingsError(f"{settings_file}: the field service is missing")
    image = ImageFacts(**_known(ImageFacts(), facts_given, image_facts))
    known = _known(Settings(""), given, settings_file)
    recording = _recording(given, settings_file)
    beside = {"telemetry": recording, "image": image, "keys_text": keys_text}
    settings = Settings(**{"keys_folder": str(keys_folder), **known, **beside})
    _check_ranges(settings, settings_file)
    return settings


def _recording(given: Mapping[str, Any], file: Path | str) -> Recording | None:
    if given.get("telemetry") is None:
        return None
    asked = _typed({}, given["telemetry"], f"{file}: the field telemetry")
    return Recording(**_known(Recording(), asked, file))


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            text = stream.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    if len(text) > _FILE_BYTES_MAX:
        raise SettingsError(f"{file}: larger than {_FILE_BYTES_MAX} bytes")
    return _object(text, file)


def _object(text: bytes, file: Path | str) -> dict[str, Any]:
    try:
        document = json.loads(without_header(text))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{file}: expected an object")
    return document


def without_header(text: bytes) -> bytes:
    """JSON without the comment that the compiler puts into the first line of what it writes for compose."""
    return text.partition(b"\n")[2] if text.startswith(b"#") else text


def _known(defaults: object, given: Mapping[str, Any], file: Path | str) -> dict[str, Any]:
    """The given fields that `defaults` has, each of the type of its default."""
    known = {}
    for known_field in fields(defaults):  # type: ignore[arg-type]
        name = known_field.name
        if name in given and name not in ("image", "telemetry", "keys_text"):
            known[name] = _typed(getattr(defaults, name), given[name], f"{file}: the field {name}")
    return known


def _typed(default: Json, value: Json, place: str) -> Json:
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"{place}: expected a list of texts, found {value!r}")
    if default is None:
        types: tuple[type, ...] = (str, type(None))
    else:
        types = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, types) or isinstance(value, bool) is not isinstance(default, bool):
        raise SettingsError(f"{place}: expected {' or '.join(kind.__name__ for kind in types)}, found {value!r}")
    return value


def _check_ranges(settings: Settings, file: Path | str) -> None:
    limits = (
        ("concurrency", 1, 1024),
        ("spares", 0, 1024),
        ("queue", 0, 100_000),
        ("batch_max_requests", 1, 1024),
        ("batch_max_bytes", 1, _BODY_BYTES_MAX),
        ("timeout_seconds", 0.001, 86_400),
        ("startup_timeout_seconds", 0.001, 86_400),
        ("drain_seconds", 0, 3_600),
        ("max_body_bytes", 1, _BODY_BYTES_MAX),
        ("port", 0, 65_535),
        ("admin_port", 0, 65_535),
    )
    for name, low, high in limits:
        value = getattr(settings, name)
        if not low <= value <= high:
            raise SettingsError(f"{file}: the field {name}: expected {low} to {high}, found {value}")
    if settings.telemetry is not None and settings.telemetry.spool_bytes < _SPOOL_BYTES_MIN:
        raise SettingsError(f"{file}: the field telemetry.spool_bytes: expected {_SPOOL_BYTES_MIN} or more")
    if settings.authentication not in ("keys", "none"):
        raise SettingsError(f"{file}: the field authentication: expected keys or none, found {settings.authentication}")
    known = (*SCRIPTED, *RUNTIMES)
    if settings.image.runtime not in known:
        named = ", ".join(known)
        raise SettingsError(f"the image's runtime is {settings.image.runtime}; this serving layer knows {named}")
