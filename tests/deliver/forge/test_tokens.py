import pytest

from mmgit.deliver.forge import connect
from mmgit.deliver.forge.tokens import Token, token_for
from mmgit.errors import ForgeError
from mmgit.spec import Refused
from mmgit.spec.project import Forge as Declared

GITHUB = Declared(kind="github", repository="ada/iris")
ENTERPRISE = Declared(kind="github", repository="ada/iris", url="https://git.example.test")
GITEA = Declared(kind="gitea", repository="ada/iris", url="https://git.example.test")
FORGEJO = Declared(kind="forgejo", repository="ada/iris", url="https://git.example.test")
ALL = {name: f"{name}-secret" for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN")}


@pytest.mark.parametrize(
    ("declared", "variables", "chosen"),
    [
        (GITHUB, {**ALL, "MMGIT_FORGE_TOKEN": "own"}, "MMGIT_FORGE_TOKEN"),
        (GITHUB, ALL, "GITHUB_TOKEN"),
        (GITHUB, {"GITHUB_TOKEN": "", "GH_TOKEN": "b"}, "GH_TOKEN"),
        (ENTERPRISE, {**ALL, "GITHUB_SERVER_URL": "https://git.example.test"}, "GITHUB_TOKEN"),
        (ENTERPRISE, {"MMGIT_FORGE_TOKEN": "own"}, "MMGIT_FORGE_TOKEN"),
        (GITEA, ALL, "GITEA_TOKEN"),
        (GITEA, {"FORGEJO_TOKEN": "a"}, "FORGEJO_TOKEN"),
        (FORGEJO, ALL, "FORGEJO_TOKEN"),
        (GITEA, {"GITHUB_TOKEN": "a", "GITHUB_SERVER_URL": "https://git.example.test"}, "GITHUB_TOKEN"),
    ],
)
def test_the_first_variable_that_is_set_holds_the_token(
    declared: Declared, variables: dict[str, str], chosen: str
) -> None:
    assert token_for(declared, variables) == Token(chosen, variables[chosen])


@pytest.mark.parametrize(
    ("declared", "variables"),
    [
        (ENTERPRISE, ALL),
        (GITHUB, {**ALL, "GITHUB_SERVER_URL": "https://git.example.test"}),
        (GITHUB, {"GITEA_TOKEN": "a"}),
        (GITEA, {"GITHUB_TOKEN": "a"}),
        (GITEA, {"GITHUB_TOKEN": "a", "GITHUB_SERVER_URL": "https://elsewhere.example.test"}),
        (GITEA, {}),
    ],
)
def test_a_token_of_another_server_is_not_used(declared: Declared, variables: dict[str, str]) -> None:
    with pytest.raises(ForgeError, match="there is no token for") as caught:
        token_for(declared, variables)

    assert caught.value.hint.startswith("set MMGIT_FORGE_TOKEN")
    assert caught.value.exit_code == 13


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Token("GH_TOKEN", "secret")) + str(Token("GH_TOKEN", "secret"))


@pytest.mark.parametrize("secret", ["two words", "a\r\nHost: evil.test", "schlüssel"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ForgeError, match=r"^MMGIT_FORGE_TOKEN holds something that is no token$") as caught:
        token_for(GITHUB, {"MMGIT_FORGE_TOKEN": secret})

    assert secret not in caught.value.hint


def test_space_around_a_token_does_not_matter() -> None:
    assert token_for(GITHUB, {"GH_TOKEN": " secret\n"}).secret == "secret"


@pytest.mark.parametrize("repository", ["../admin", "ada/.."])
def test_a_repository_that_leads_elsewhere_is_refused(repository: str) -> None:
    with pytest.raises(Refused, match="<owner>/<name>"):
        Declared(kind="github", repository=repository)


def test_plain_http_to_another_machine_is_refused() -> None:
    declared = Declared(kind="gitea", repository="ada/iris", url="http://git.example.test")

    with pytest.raises(ForgeError, match=r"git\.example\.test is another machine, so it must be reached by https"):
        connect(declared, {"GITEA_TOKEN": "a"})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (None, "api.github.com"),
        ("https://GitHub.com", "api.github.com"),
        ("https://git.example.test", "git.example.test"),
    ],
)
def test_github_is_asked_at_its_own_address(url: str | None, host: str) -> None:
    declared = Declared(kind="github", repository="ada/iris", url=url)

    assert str(connect(declared, {"MMGIT_FORGE_TOKEN": "a"})) == f"{host}/ada/iris"
