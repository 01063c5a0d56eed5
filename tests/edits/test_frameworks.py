import pytest

from mmgit.edits.frameworks import framework_of


@pytest.mark.parametrize(
    ("dependencies", "framework"),
    [
        (b"scikit-learn==1.6.1\nnumpy==2.1.0\n", ("scikit-learn", "1.6.1")),
        (b"Scikit_Learn == 1.6.1  # as trained\n", ("scikit-learn", "1.6.1")),
        (b"torch[extra]==2.5.0+cpu ; python_version > '3.9'\n", ("torch", "2.5.0+cpu")),
        (b"dependencies:\n  - python=3.11\n  - pip:\n      - xgboost==2.1.1\n", ("xgboost", "2.1.1")),
    ],
)
def test_the_one_framework_that_is_pinned_is_named(dependencies: bytes, framework: tuple[str, str]) -> None:
    assert framework_of(dependencies) == framework


@pytest.mark.parametrize(
    "dependencies",
    [b"", b"numpy==2.1.0\n", b"scikit-learn\n", b"scikit-learn>=1.5\n", b"# scikit-learn==1.6.1\n", b"\xff\xfe"],
)
def test_nothing_is_guessed_from_what_is_not_pinned(dependencies: bytes) -> None:
    assert framework_of(dependencies) is None


def test_two_pinned_frameworks_leave_the_answer_to_people() -> None:
    assert framework_of(b"scikit-learn==1.6.1\nxgboost==2.1.1\n") is None
