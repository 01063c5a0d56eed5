import pytest

from mmgit.plural import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1200, "1,200 files")])
def test_one_alone_is_not_many(number: int, said: str) -> None:
    assert counted(number, "file") == said
