import pytest

from mmgit.checks.objects import values


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (values.is_label_name, ["a", "a-1", "a" * 63], ["", "-a", "a-", "A", "a.b", "a" * 64, "a\n"]),
        (values.is_name, ["a", "a.b-c", "a" * 63 + ".b"], ["", ".a", "a..b", "a_b", "a." * 127 + "a", "a\n"]),
        (values.is_label_key, ["a", "A_b.c", "example.com/a"], ["", "/a", "a/", "a/b/c", "-a", "a b", "a" * 64, "a\n"]),
        (values.is_label_value, ["", "a", "A.b_c-d"], ["-a", "a-", "a b", "a" * 64, "a\n"]),
        (values.is_quantity, ["0", "1", "500m", "1.5Gi", "2k", "1e3"], ["", "1 Gi", "Gi", "1KB", "-1", "1e", "1\n"]),
    ],
)
def test_text_is_good_as_kubernetes_says(rule: object, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not rule(text)] == []  # type: ignore[operator]
    assert [text for text in bad if rule(text)] == []  # type: ignore[operator]


@pytest.mark.parametrize(
    ("image", "is_good", "is_tagged"),
    [
        (f"registry.example.com:5000/a/b@sha256:{'0' * 64}", True, False),
        (f"localhost:5000/a@sha256:{'0' * 64}", True, False),
        (f"a:1@sha256:{'0' * 64}", True, True),
        ("registry.example.com:5000/a", False, False),
        ("a:latest", False, True),
        (f"a@sha256:{'0' * 63}", False, False),
        (f"a@sha512:{'0' * 64}", False, False),
        (f"a b@sha256:{'0' * 64}", False, False),
    ],
)
def test_an_image_says_a_digest_and_no_tag(image: str, *, is_good: bool, is_tagged: bool) -> None:
    assert bool(values.is_image_by_digest(image)) == is_good
    assert values.has_tag(image) == is_tagged
