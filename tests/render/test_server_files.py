import json
from collections.abc import Callable

from mmgit.desired import DesiredService
from mmgit.render import server_files
from mmgit.spec.service import Key

MakeService = Callable[..., DesiredService]


def test_settings_are_one_sorted_field_a_line(service: MakeService) -> None:
    own = service(settings={"service": "churn", "models": ["a/1", "b/2"], "timeout": 0.5, "name": 'ä"\n'})

    text = server_files.settings_json(own)

    assert text == (
        '{\n  "models": ["a/1",\n  "b/2"],\n  "name": "\\u00e4\\"\\n",\n  "service": "churn",\n  "timeout": 0.5\n}\n'
    )
    assert json.loads(text) == own.settings


def test_keys_are_one_a_line_sorted_by_name_with_digests_only(service: MakeService) -> None:
    primary = Key(name="primary", id="k7f3", digest=f"sha256:{'1' * 64}")
    secondary = Key(name="secondary", id="k8f3", digest=f"sha256:{'2' * 64}", expires="2027-02-28")

    text = server_files.keys_json(service(keys=(secondary, primary)))

    assert text == (
        '{"keys": [\n'
        f'  {{"name": "primary", "id": "k7f3", "digest": "sha256:{"1" * 64}"}},\n'
        f'  {{"name": "secondary", "id": "k8f3", "digest": "sha256:{"2" * 64}", "expires": "2027-02-28"}}\n'
        "]}\n"
    )


def test_a_service_without_keys_has_an_empty_list(service: MakeService) -> None:
    assert json.loads(server_files.keys_json(service(keys=()))) == {"keys": []}
