from types import SimpleNamespace
from typing import Any

import pytest

from mmgit.blueprints import texts
from mmgit.blueprints.texts import Code, filled


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Fills a template that is written on the spot."""
    monkeypatch.setattr(texts, "resources", SimpleNamespace(files=lambda _: tmp_path))

    def run(template: str, **values: Any) -> str:
        (tmp_path / "template").write_text(template)
        return filled("anywhere", "template", values)

    return run


def test_code_is_written_as_it_is(fill: Any) -> None:
    assert fill("a = {{ a }}{% for each in all %}, {{ each }}{% endfor %};\n", a=Code("<'>"), all=[Code("b")]) == (
        "a = <'>, b;\n"
    )


@pytest.mark.parametrize("template", ["{{ a }}", "{{ code ~ a }}", "{{ code | upper }}", "{{ 7 * 7 }}", "{{ 'a' }}"])
def test_what_is_not_code_is_an_error(fill: Any, template: str) -> None:
    with pytest.raises(TypeError, match="a template writes code alone"):
        fill(template, a="data", code=Code("code"))


def test_what_is_not_there_is_an_error(fill: Any) -> None:
    with pytest.raises(Exception, match="there"):
        fill("{% if there %}yes{% endif %}")
