import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.serving.spool.segments import FRAME, HEAD, frame_of, name_of, read, scan, sealed_name, segments_of

RECORDS = [b'{"n":1}', b"x" * 5000, b"\0\0\0\0", b"\n"]


def segment(file: Path, *parts: bytes) -> Path:
    file.write_bytes(HEAD + b"".join(parts))
    return file


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    file = segment(tmp_path / "a", *map(frame_of, RECORDS))

    found = scan(file)

    assert found == (RECORDS, file.stat().st_size, 0)


def test_at_any_cut_all_records_before_it_are_whole(tmp_path: Path) -> None:
    data = HEAD + b"".join(map(frame_of, RECORDS))
    ends = [len(HEAD) + sum(len(frame_of(record)) for record in RECORDS[:count]) for count in range(len(RECORDS) + 1)]
    file = tmp_path / "a"

    for cut in range(len(HEAD), len(data), 7):
        file.write_bytes(data[:cut])

        found = scan(file)

        count = max(count for count, end in enumerate(ends) if end <= cut)
        assert found == (RECORDS[:count], ends[count], cut - ends[count])


@pytest.mark.parametrize("tail", [bytes(8), bytes(4096), b"\xff" * 8, FRAME.pack(3, 0) + b"abc", FRAME.pack(0, 0)])
def test_what_is_no_frame_ends_a_segment(tmp_path: Path, tail: bytes) -> None:
    file = segment(tmp_path / "a", frame_of(b"one"), tail, frame_of(b"two"))

    found = scan(file)

    assert found.records == [b"one"]
    assert found.torn_bytes == len(tail) + len(frame_of(b"two"))


@given(noise=st.binary(max_size=200), seed=st.integers(0, 2**32))
def test_a_segment_of_anything_is_read_without_failing(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, seed: int
) -> None:
    data = bytearray(HEAD + b"".join(map(frame_of, RECORDS[:1] + RECORDS[2:])) + noise)
    data[random.Random(seed).randrange(len(data))] ^= 0x55  # noqa: S311 - a fault, no secret
    file = tmp_path_factory.mktemp("noise") / "a"
    file.write_bytes(data)

    found = scan(file)

    assert found.whole_bytes + found.torn_bytes == len(data)
    assert all(record in RECORDS or record in noise for record in found.records)


def test_segments_are_listed_by_age_and_other_files_passed_over(tmp_path: Path) -> None:
    names = [sealed_name(name_of(5, 0), 7), name_of(40, 1), sealed_name(name_of(300, 2), 1)]
    for name in (*reversed(names), "lock", "1-2.seg", "a.open"):
        (tmp_path / name).touch()

    found = segments_of(tmp_path)

    assert [each.file.name for each in found] == names
    assert [(each.records, each.is_sealed) for each in found] == [(7, True), (0, False), (1, True)]


def test_a_spool_is_read_while_it_is_written_and_emptied(tmp_path: Path) -> None:
    first, second, third = (name_of(number, number) for number in (1, 2, 3))
    segment(tmp_path / sealed_name(first, 1), frame_of(b"one"))
    segment(tmp_path / second, frame_of(b"two"))
    segment(tmp_path / third, frame_of(b"three"), b"torn")
    found = read(tmp_path)

    assert next(found) == b"one"
    (tmp_path / second).rename(tmp_path / sealed_name(second, 1))

    assert list(found) == [b"two", b"three"]

    found = read(tmp_path)
    assert next(found) == b"one"
    (tmp_path / sealed_name(second, 1)).unlink()
    assert list(found) == [b"three"]
