from typing import Any

import pytest

from mmgit.edits import services
from mmgit.edits.keys import RANDOM_BYTES, Dates, mint
from mmgit.errors import UsageError
from mmgit.repository.source import Source
from mmgit.spec import Refused

DATES = Dates("2026-11-30")

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

PATH = "environments/dev/services/churn.yaml"
HERE = {"environment": "dev", "name": "churn"}
IMAGE, OTHER = "sha256:" + "a" * 64, "sha256:" + "ab" * 32


def lock_file(digest: str, key: str) -> str:
    blob = f'{{digest: "sha256:{"b" * 64}", size: 1}}'
    return (
        f'apiVersion: mmgit.dev/v1\nkind: Image\ndigest: "{digest}"\nsize: 1\n'
        f'recipe: "{key * 64}"\ninputs: "{"d" * 64}"\n'
        f'foundation: {{base: {{linux/amd64: "{"e" * 64}"}}, serving: "{"f" * 64}", codec: zlib-ng}}\n'
        f"platforms:\n  linux/amd64:\n    manifest: {blob}\n    config: {blob}\n    layers:\n"
        f'      - {{key: "{"a" * 64}", digest: "sha256:{"b" * 64}", diff_id: "sha256:{"b" * 64}", size: 1, '
        "mediaType: application/vnd.oci.image.layer.v1.tar}\n"
    )


def built(repository: Edited, *digests: str) -> Source:
    for number, digest in enumerate(digests):
        path = f"models/churn/manifests/2/images/{str(number) * 12}.yaml"
        repository.root.write(path, lock_file(digest, str(number)).encode())
    source: Source = repository.source
    return source


def update(repository: Edited, **options: Any) -> list[str]:
    """The changed lines of the service's file."""
    change = services.update(repository.source, repository.root, options, **HERE)
    return repository.diff(PATH, change) if change.files else []


def test_a_manifest_that_is_not_built_is_what_comes_next(with_service: Edited) -> None:
    options = services.to_run(with_service.source, "churn/2")

    assert options == {"next": "churn/2"}
    assert update(with_service, **options) == ["+next: churn/2"]


def test_a_built_manifest_is_pinned_and_ends_the_waiting(with_service: Edited) -> None:
    with_service.apply(services.update(with_service.source, with_service.root, {"next": "churn/2"}, **HERE))
    options = services.to_run(built(with_service, OTHER), "churn/2")

    assert update(with_service, **options) == [
        "-manifest: churn/1      # tested by Ada",
        f"-image: {IMAGE}",
        "-next: churn/2",
        "+manifest: churn/2      # tested by Ada",
        f"+image: {OTHER}",
    ]


def test_of_several_images_one_must_be_chosen(with_service: Edited) -> None:
    source = built(with_service, IMAGE, OTHER)

    with pytest.raises(UsageError, match=r"manifest churn/2 has 2 images$"):
        services.to_run(source, "churn/2")
    with pytest.raises(UsageError, match="has 0 images that begin with ffff"):
        services.to_run(source, "churn/2", "ffff")
    assert services.to_run(source, "churn/2", "sha256:abab")["image"] == OTHER


@pytest.mark.parametrize("reference", ["churn/3", "churn/x", "churn", "nothing/1", "churn/1/2", "churn/²"])
def test_a_manifest_that_is_not_declared_is_refused(with_service: Edited, reference: str) -> None:
    with pytest.raises(UsageError, match="there is no"):
        services.to_run(with_service.source, reference)


def test_only_the_named_option_changes_and_its_comment_stays(with_service: Edited) -> None:
    assert update(with_service, autoscale={"max": 20}, replicas=None) == [
        "-autoscale: {min: 2, max: 10}   # nights are quiet",
        "+autoscale: {min: 2, max: 20}   # nights are quiet",
    ]


def test_a_fixed_number_of_replicas_takes_the_place_of_autoscaling(with_service: Edited) -> None:
    assert update(with_service, replicas=3, autoscale=None) == [
        "-autoscale: {min: 2, max: 10}   # nights are quiet",
        "+replicas: 3",
    ]


def test_variables_are_added_changed_and_removed_one_by_one(with_service: Edited) -> None:
    secret = {"secret": "churn-db", "key": "url"}

    assert update(with_service, variables={"DB_URL": secret}) == ["+  DB_URL: {secret: churn-db, key: url}"]
    assert update(with_service, variables={"LEVEL": "debug"}) == [
        "-  LEVEL: info  # not debug",
        "+  LEVEL: debug  # not debug",
    ]
    assert update(with_service, variables={"LEVEL": None}) == ["-variables:", "-  LEVEL: info  # not debug"]


def test_what_is_so_already_changes_nothing(with_service: Edited) -> None:
    assert update(with_service, manifest="churn/1", image=IMAGE, next=None) == []


def test_a_refused_value_changes_nothing(with_service: Edited) -> None:
    with pytest.raises(UsageError, match="min 2 is greater than max 1"):
        update(with_service, autoscale={"max": 1})
    with pytest.raises(UsageError, match="give either replicas or autoscale"):
        update(with_service, replicas=3)


def test_a_new_service_is_a_small_file_in_the_folder_of_its_group(with_service: Edited) -> None:
    _, key = mint(bytes(RANDOM_BYTES), "primary", DATES)
    options = {"queue": 5, "autoscale": {"max": 4}, "replicas": None, "next": "churn/2"}
    wanted = services.NewService("dev", "leavers", options, "retention", key)

    change = services.create(with_service.source, wanted)

    assert change.files == {
        "environments/dev/services/retention/leavers.yaml": (
            "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/2\nautoscale: {max: 4}\nqueue: 5\n"
            f'keys:\n  - {{name: primary, id: "00000000", digest: "{key.digest}", created: "2026-11-30"}}\n'
        ).encode()
    }
    with_service.apply(change)
    assert with_service.problems == ()


def test_a_name_is_given_once_in_an_environment_whatever_the_group(with_service: Edited) -> None:
    with pytest.raises(UsageError, match=r"declared already, in environments/dev/services/churn\.yaml"):
        services.create(with_service.source, services.NewService("dev", "churn", {"next": "churn/2"}, "other"))


@pytest.mark.parametrize(
    ("name", "group"), [("../x", "default"), ("leavers", "../.."), ("Leavers", "default"), ("a/b", "c")]
)
def test_a_hostile_name_or_group_is_refused(with_service: Edited, name: str, group: str) -> None:
    with pytest.raises(UsageError, match="is no name for"):
        services.create(with_service.source, services.NewService("dev", name, {"next": "churn/2"}, group))


def test_an_unknown_environment_or_service_names_those_there_are(with_service: Edited) -> None:
    with pytest.raises(UsageError) as unknown:
        services.create(with_service.source, services.NewService("prod", "leavers", {"next": "churn/2"}))
    assert "declared environments: dev" in unknown.value.hint

    with pytest.raises(UsageError) as unknown:
        services.delete(with_service.source, environment="dev", name="leavers")
    assert "services: churn" in unknown.value.hint


def test_a_deleted_service_is_one_file_less(with_service: Edited) -> None:
    assert services.delete(with_service.source, **HERE).files == {PATH: None}


def test_a_renewed_key_changes_its_own_line_and_not_the_other_key(with_service: Edited) -> None:
    _, first = mint(bytes(RANDOM_BYTES), "primary", DATES)
    _, second = mint(bytes(range(RANDOM_BYTES)), "secondary", DATES)
    _, renewed = mint(b"r" * RANDOM_BYTES, "primary", DATES)
    for key in (first, second):
        with_service.apply(services.set_key(with_service.source, with_service.root, key, **HERE))

    change = services.set_key(with_service.source, with_service.root, renewed, **HERE)

    assert with_service.diff(PATH, change) == [
        f'-  - {{name: primary, id: "{first.id}", digest: "{first.digest}", created: "2026-11-30"}}',
        f'+  - {{name: primary, id: {renewed.id}, digest: "{renewed.digest}", created: "2026-11-30"}}',
    ]


def test_a_revoked_key_is_gone_and_with_the_last_one_the_field(with_service: Edited) -> None:
    _, key = mint(bytes(RANDOM_BYTES), "primary", Dates("2026-11-30", "2027-02-28"))
    with_service.apply(services.set_key(with_service.source, with_service.root, key, **HERE))

    change = services.revoke_key(with_service.source, with_service.root, "primary", **HERE)

    assert with_service.diff(PATH, change) == [
        "-keys:",
        f'-  - {{name: primary, id: "{key.id}", digest: "{key.digest}", created: "2026-11-30", expires: "2027-02-28"}}',
    ]
    with pytest.raises(UsageError, match="no secondary key"):
        services.revoke_key(with_service.source, with_service.root, "secondary", **HERE)


def test_no_edit_can_carry_a_token_into_the_file(with_service: Edited) -> None:
    token, key = mint(bytes(range(RANDOM_BYTES)), "primary", DATES)

    change = services.set_key(with_service.source, with_service.root, key, **HERE)

    assert all(token.split("_")[2].encode() not in (data or b"") for data in change.files.values())
    with pytest.raises(Refused):
        type(key)(name="primary", id=key.id, digest=token)
