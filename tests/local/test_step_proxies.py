"""A proxy of docker's configuration reaches steps, its login does not."""

import pytest

from mmgit.errors import EngineError
from mmgit.local.steps import refuse_logins


def test_a_proxy_with_a_login_is_refused_without_being_shown() -> None:
    with pytest.raises(EngineError, match="the proxy for `default` in docker's config") as caught:
        refuse_logins({"default": {"httpProxy": "http://ada:s3cret@proxy:3128", "noProxy": "localhost"}})

    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_proxy_without_a_login_is_taken() -> None:
    refuse_logins({"default": {"httpProxy": "http://proxy:3128", "noProxy": "localhost"}})
