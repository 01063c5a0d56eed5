import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mmgit.serving.front.keys import Keys, read_keys
from tests.serving.conftest import KEY, Load, Service, Start, keys_document, request, until

DIGEST = "sha256:" + "0" * 64
DAY_SECONDS = 86_400


def day(offset: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + offset * DAY_SECONDS))


def record(token: str, **fields: str) -> Mapping[str, str]:
    document: Mapping[str, str] = json.loads(keys_document(token))["keys"][0]
    return {**document, **fields}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    write(tmp_path, keys_document("mmgit_one", "mmgit_two"))
    keys = Keys(tmp_path)
    keys.refresh()
    return keys


def write(folder: Path, text: str) -> None:
    """Replace keys.json as Kubernetes does: `..data` is a link that is swapped in one step."""
    generation = folder / f"..{time.monotonic_ns()}"
    generation.mkdir()
    (generation / "keys.json").write_text(text)
    link = folder / "..new"
    link.symlink_to(generation.name)
    link.replace(folder / "..data")
    if not (folder / "keys.json").is_symlink():
        (folder / "keys.json").symlink_to("..data/keys.json")


def opened(keys: Keys, header: bytes) -> str:
    """The name of the key that this header carries."""
    key = keys.opened_by(header)
    assert key is not None
    return key.name


@pytest.mark.parametrize("header", [b"Bearer mmgit_two", b"bearer mmgit_two", b"BEARER  mmgit_two "])
def test_each_key_opens_and_is_known_by_its_name(keys: Keys, header: bytes) -> None:
    assert opened(keys, header) == "two"


@pytest.mark.parametrize("header", [b"", b"Bearer", b"Bearer ", b"Bearer mmgit_tw", b"Basic mmgit_two", b"mmgit_two"])
def test_nothing_else_opens(keys: Keys, header: bytes) -> None:
    assert keys.opened_by(header) is None


@pytest.mark.parametrize(("offset", "is_open"), [(-1, False), (0, True), (1, True)])
def test_a_key_is_good_through_its_last_day(tmp_path: Path, offset: int, is_open: bool) -> None:  # noqa: FBT001 - a case
    write(tmp_path, keys_document(record("mmgit_one", expires=day(offset))))
    keys = Keys(tmp_path)
    keys.refresh()

    assert (keys.opened_by(b"Bearer mmgit_one") is not None) is is_open


def test_without_a_file_or_without_keys_nothing_opens(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    assert keys.refresh() is None
    write(tmp_path, keys_document())

    assert keys.refresh() is None
    assert (len(keys), keys.is_broken) == (0, False)
    assert keys.opened_by(b"Bearer ") is None


def test_keys_that_are_given_as_a_text_open_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    write(tmp_path, keys_document("mmgit_one"))
    keys = Keys(tmp_path, keys_document("mmgit_two"))

    assert keys.refresh() is None
    assert keys.refresh() is None
    assert opened(keys, b"Bearer mmgit_two") == "two"
    assert keys.opened_by(b"Bearer mmgit_one") is None


def test_a_broken_text_closes_the_service_and_is_told_once(tmp_path: Path) -> None:
    keys = Keys(tmp_path, "{")

    assert str(keys.refresh()).startswith("MMGIT_KEYS_JSON: ")
    assert keys.refresh() is None
    assert (len(keys), keys.is_broken) == (0, True)


def test_a_swapped_folder_brings_new_keys(keys: Keys, tmp_path: Path) -> None:
    write(tmp_path, keys_document("mmgit_three"))

    assert keys.refresh() is None
    assert opened(keys, b"Bearer mmgit_three") == "three"
    assert keys.opened_by(b"Bearer mmgit_one") is None


def test_an_unchanged_file_is_not_read_again(keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise AssertionError("the file was read")

    monkeypatch.setattr("mmgit.serving.front.keys.read_keys", fail)

    assert keys.refresh() is None
    write(tmp_path, keys_document())
    with pytest.raises(AssertionError):
        keys.refresh()


def test_a_broken_file_leaves_the_last_good_keys_and_is_told_once(keys: Keys, tmp_path: Path) -> None:
    write(tmp_path, "{")

    assert "the last good keys stay in force" in str(keys.refresh())
    assert keys.refresh() is None
    assert keys.is_broken
    assert opened(keys, b"Bearer mmgit_one") == "one"

    write(tmp_path, keys_document("mmgit_three"))
    keys.refresh()
    assert not keys.is_broken
    assert keys.opened_by(b"Bearer mmgit_one") is None


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_file_leaves_the_last_good_keys_and_holds_nobody_up(keys: Keys, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "keys.json"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(file)

    assert "the last good keys stay in force" in str(keys.refresh())
    assert keys.refresh() is None
    assert opened(keys, b"Bearer mmgit_one") == "one"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"keys": {}}',
        '{"keys": [{"name": "a"}]}',
        f'{{"keys": [{{"digest": "{DIGEST}"}}]}}',
        '{"keys": [{"name": "a", "digest": "md5:00"}]}',
        '{"keys": [{"name": "a", "digest": "sha256:zz"}]}',
        f'{{"keys": [{{"name": "a", "digest": "{DIGEST}", "expires": "soon"}}]}}',
        f'{{"keys": [{{"name": "a", "digest": "{DIGEST}", "expires": 2027}}]}}',
        " " * 1_048_577,
    ],
)
def test_a_file_that_is_not_a_list_of_keys_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - what it says of the content is the point
        read_keys(file)

    assert "0" * 64 not in str(refused.value)


def test_keys_are_rotated_without_a_restart(start: Start) -> None:
    service = start()
    folder = service.folder / "keys"
    assert service.score(x=1).status == 200

    (folder / "keys.json").unlink()
    write(folder, keys_document("mmgit_new_key", KEY))
    until(lambda: service.ask(service.score_path, b'{"x": 2}', key="mmgit_new_key").status == 200)
    assert service.score(x=1).status == 200

    write(folder, keys_document("mmgit_new_key"))
    until(lambda: service.score(x=1).status == 401)
    assert service.logged("request", key="new", status=200)


def test_broken_keys_are_seen_in_metrics_and_log(start: Start) -> None:
    service = start()

    (service.folder / "keys" / "keys.json").write_text("{")

    until(lambda: service.metric("mmgit_keys_broken") == 1)
    assert service.score(x=1).status == 200
    assert service.metric("mmgit_keys") == 1
    until(lambda: service.logged("keys_broken"))


class Callers(Load):
    """Clients that score all the time, each with a key of its own; `seen` are the answers since the last `fresh()`."""

    def __init__(self, service: Service, *keys: str) -> None:
        self.seen: dict[str, list[int]] = {key: [] for key in keys}
        super().__init__(*(self._calls(service, key) for key in keys))

    def _calls(self, service: Service, key: str) -> Iterator[None]:
        client = service.client()
        while True:
            client.send(request(Service.score_path, b'{"x": 1}', key=key))
            self.seen[key].append(client.answer().status)
            yield

    def fresh(self) -> dict[str, set[int]]:
        """The statuses of some ten calls of each from now on."""
        starts = {key: len(seen) for key, seen in self.seen.items()}
        until(lambda: all(len(seen) > starts[key] + 10 for key, seen in self.seen.items()))
        return {key: set(seen[starts[key] + 1 :]) for key, seen in self.seen.items()}


OLD, NEW = "mmgit_old_key", "mmgit_new_key"
BROKEN = ["", keys_document(OLD)[:-20], "\0" * 100, " " * 1_048_577]


def test_keys_that_are_swapped_truncated_and_emptied_under_load_open_to_whom_they_did(start: Start) -> None:
    service = start(queue=100)
    folder = service.folder / "keys"
    (folder / "keys.json").unlink()
    write(folder, keys_document(OLD))
    until(lambda: service.ask(service.score_path, b'{"x": 1}', key=OLD).status == 200)

    with Callers(service, OLD, NEW) as callers:
        for text in BROKEN:
            write(folder, text)
            until(lambda: service.metric("mmgit_keys_broken") == 1)
            assert callers.fresh() == {OLD: {200}, NEW: {401}}
            write(folder, keys_document(OLD))
            until(lambda: service.metric("mmgit_keys_broken") == 0)
        write(folder, keys_document(OLD, NEW))
        until(lambda: service.metric("mmgit_keys") == 2)
        assert callers.fresh() == {OLD: {200}, NEW: {200}}
        write(folder, keys_document(NEW))
        until(lambda: service.metric("mmgit_keys") == 1)
        assert callers.fresh() == {OLD: {401}, NEW: {200}}
        write(folder, keys_document())
        until(lambda: service.metric("mmgit_keys") == 0)
        assert callers.fresh() == {OLD: {401}, NEW: {401}}

    assert set(callers.seen[OLD]) | set(callers.seen[NEW]) == {200, 401}
    assert callers.seen[OLD].index(401) > len(callers.seen[OLD]) // 4  # it opened all the time before


def test_a_key_ends_in_the_running_server_when_its_day_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, keys_document(record("mmgit_one", expires=day(0))))
    keys = Keys(tmp_path)
    keys.refresh()
    assert opened(keys, b"Bearer mmgit_one") == "one"

    tomorrow = time.time() + DAY_SECONDS
    monkeypatch.setattr("mmgit.serving.front.keys.time.time", lambda: tomorrow)

    assert keys.refresh() is None
    assert keys.opened_by(b"Bearer mmgit_one") is None


def test_a_key_that_opened_does_so_as_long_as_it_is_in_force(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, keys_document(record("mmgit_one", expires=day(0))))
    keys.refresh()
    key = keys.opened_by(b"Bearer mmgit_one")
    assert key is not None

    before = keys.still_opened_by(key)
    monkeypatch.setattr("mmgit.serving.front.keys.time.time", lambda: key.expires_at)

    assert (before, keys.still_opened_by(key)) == (True, False)


def test_a_key_that_opened_does_not_stand_for_another_one_of_its_name(keys: Keys, tmp_path: Path) -> None:
    key = keys.opened_by(b"Bearer mmgit_one")
    assert key is not None

    write(tmp_path, keys_document({**record("mmgit_three"), "name": key.name}))
    keys.refresh()

    assert opened(keys, b"Bearer mmgit_three") == key.name
    assert not keys.still_opened_by(key)
