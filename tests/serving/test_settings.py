import json
from pathlib import Path
from typing import Any

import pytest

from mmgit.serving.settings import SETTINGS_VARIABLE, ImageFacts, Recording, Settings, SettingsError, load


def read(folder: Path, settings: Any, facts: Any = None) -> Settings:
    """Settings from JSON values or, for texts, from files that hold just them."""
    for name, value in (("mmgit.json", facts or {}), ("settings.json", settings)):
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return load(folder / "mmgit.json", folder, Path("/keys"), {})


def test_a_service_needs_only_a_name(tmp_path: Path) -> None:
    settings = read(tmp_path, {"service": "digits"})

    assert settings == Settings(service="digits", keys_folder="/keys")
    assert (settings.concurrency, settings.queue, settings.timeout_seconds) == (1, 10, 60)
    assert (settings.max_body_bytes, settings.drain_seconds, settings.authentication) == (104_857_600, 5, "keys")


def test_everything_declared_is_read(tmp_path: Path) -> None:
    facts = {"runtime": "python", "scoring": "main.py", "models": {"digits": "models/digits"}, "schema": "s.json"}
    given = {"service": "digits", "concurrency": 2, "timeout_seconds": 1.5, "models": ["digits/1"], "port": 0}

    settings = read(tmp_path, given, facts)

    assert settings.image == ImageFacts(scoring="main.py", models={"digits": "models/digits"}, schema="s.json")
    assert (settings.concurrency, settings.timeout_seconds, settings.models) == (2, 1.5, ("digits/1",))


def test_what_a_newer_compiler_wrote_is_passed_over(tmp_path: Path) -> None:
    given = {"service": "digits", "telemetry": {"store": "s3://x"}, "image": "sha256:0", "colour": "red"}

    settings = read(tmp_path, given, {"layers": []})

    assert (settings.service, settings.telemetry) == ("digits", Recording())


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    given = {"inputs": True, "redact": ["ssn"], "spool_bytes": 2**20}

    settings = read(tmp_path, {"service": "digits", "telemetry": given})

    assert settings.telemetry == Recording(inputs=True, redact=("ssn",), spool_bytes=2**20)
    assert read(tmp_path, {"service": "digits"}).telemetry is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "the field service is missing"),
        ({"service": 1}, "the field service: expected str, found 1"),
        ({"service": "digits", "concurrency": 0}, "the field concurrency: expected 1 to 1024, found 0"),
        ({"service": "digits", "concurrency": True}, "the field concurrency: expected int, found True"),
        ({"service": "digits", "queue": 1.5}, "the field queue: expected int, found 1.5"),
        (
            {"service": "digits", "timeout_seconds": "60s"},
            "the field timeout_seconds: expected int or float, found '60s'",
        ),
        ({"service": "digits", "max_body_bytes": 2**32}, "the field max_body_bytes: expected 1 to 4294967295"),
        ({"service": "digits", "models": "digits/1"}, "the field models: expected a list of texts, found 'digits/1'"),
        ({"service": "digits", "authentication": "off"}, "the field authentication: expected keys or none, found off"),
        ({"service": "digits", "telemetry": []}, "the field telemetry: expected dict, found []"),
        ({"service": "digits", "telemetry": {"inputs": 1}}, "the field inputs: expected bool, found 1"),
        ({"service": "digits", "telemetry": {"spool_bytes": True}}, "the field spool_bytes: expected int, found True"),
        ({"service": "digits", "telemetry": {"spool_bytes": 9}}, "telemetry.spool_bytes: expected 1048576 or more"),
        ("[]", "expected an object"),
        ("{", "not JSON"),
        (" " * 1_048_577, "larger than 1048576 bytes"),
    ],
)
def test_a_wrong_settings_file_is_named_with_the_field(tmp_path: Path, settings: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=r"settings\.json") as error:
        read(tmp_path, settings)

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"models": []}, "the field models: expected dict"),
        ({"schema": 1}, "the field schema: expected str or NoneType, found 1"),
        ({"runtime": "spark"}, "the image's runtime is spark; this serving layer knows python, spark-py, sklearn"),
    ],
)
def test_an_image_that_this_server_cannot_serve_is_refused(tmp_path: Path, facts: Any, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, {"service": "digits"}, facts)

    assert message in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"mmgit\.json: No such file"):
        load(tmp_path / "mmgit.json", tmp_path, tmp_path, {})


def test_settings_and_keys_may_be_given_in_place_of_files(tmp_path: Path) -> None:
    facts = tmp_path / "mmgit.json"
    facts.write_text("{}")
    variables = {"MMGIT_SETTINGS_JSON": '{"service": "digits", "queue": 3, "keys_text": "x"}'}

    with_keys = load(facts, tmp_path, Path("/keys"), {**variables, "MMGIT_KEYS_JSON": '{"keys": [1]}'})
    without = load(facts, tmp_path, Path("/keys"), variables)

    assert (with_keys.service, with_keys.queue, with_keys.keys_text) == ("digits", 3, '{"keys": [1]}')
    assert without.keys_text == '{"keys": []}'


def test_keys_without_settings_beside_them_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mmgit.json").write_text("{}")
    (tmp_path / "settings.json").write_text('{"service": "digits", "keys_text": "x"}')

    settings = load(tmp_path / "mmgit.json", tmp_path, Path("/keys"), {"MMGIT_KEYS_JSON": '{"keys": [1]}'})

    assert settings == Settings("digits", keys_folder="/keys")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "MMGIT_SETTINGS_JSON: not JSON: "),
        ("[]", "MMGIT_SETTINGS_JSON: expected an object"),
        ("{}", "MMGIT_SETTINGS_JSON: the field service is missing"),
        ('{"service": "digits", "queue": -1}', "MMGIT_SETTINGS_JSON: the field queue: expected 0 to 100000, found -1"),
    ],
)
def test_what_is_wrong_with_settings_that_are_given_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mmgit.json").write_text("{}")

    with pytest.raises(SettingsError, match=f"^{message}"):
        load(tmp_path / "mmgit.json", tmp_path, Path("/keys"), {"MMGIT_SETTINGS_JSON": text})


@pytest.mark.parametrize("text", ["\udcff", "[" * 100_000])
def test_settings_in_a_variable_that_cannot_be_read_are_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "mmgit.json").write_text("{}")

    with pytest.raises(SettingsError, match=f"{SETTINGS_VARIABLE}: not JSON"):
        load(tmp_path / "mmgit.json", tmp_path, tmp_path, {SETTINGS_VARIABLE: text})
