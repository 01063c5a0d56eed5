"""What conda files ask for."""

import pytest

from mmgit.errors import BuildError
from mmgit.images.conda.asked import conda_file, name_of


def test_a_conda_file_of_the_usual_shape_is_its_python_and_its_pip_list() -> None:
    said = conda_file(
        {
            "name": "churn",
            "channels": ["conda-forge"],
            "dependencies": ["python=3.11", "pip", "pip>=23", {"pip": ["numpy==2.0", "pandas"]}],
        }
    )

    assert (said.python, said.requirements) == ("3.11", "numpy==2.0\npandas\n")
    assert (said.specs, said.channels) == ((), ())


@pytest.mark.parametrize(
    ("pinned", "python"),
    [("python=3.11.4", "3.11"), ("python==3.10.*", "3.10"), ("python", None), ("python>=3.9", None)],
)
def test_the_python_of_a_conda_file_is_its_minor_when_it_names_one(pinned: str, python: str | None) -> None:
    assert conda_file({"dependencies": [pinned]}).python == python


def test_packages_of_condas_own_come_from_the_channels_in_their_order() -> None:
    listed = ["python=3.11", "conda-forge::numpy >=1.26", "libblas=*=*openblas", {"pip": ["shap"]}]
    channels = ["conda-forge", "https://conda.acme.example/team/", "./channels/acme", "nodefaults"]

    said = conda_file({"channels": channels, "dependencies": listed})

    assert said.specs == ("conda-forge::numpy >=1.26", "libblas=*=*openblas")
    assert said.requirements == "shap\n"
    assert said.channels == (
        "https://conda.anaconda.org/conda-forge",
        "https://conda.acme.example/team",
        "channels/acme",
    )
    assert [name_of(each) for each in said.specs] == ["numpy", "libblas"]


@pytest.mark.parametrize(
    "channel",
    [
        "https://user:canary@conda.acme.example/team",
        "https://conda.anaconda.org/t/canary-0123/acme",
        "http://conda.acme.example/team",
        "https://conda.acme.example/team?token=canary",
        "../elsewhere/canary",
        "./../canary",
        "/abs/canary",
        "file:///canary",
        3,
        None,
    ],
)
def test_a_channel_with_a_login_or_outside_of_the_root_is_refused_without_being_shown(channel: object) -> None:
    with pytest.raises(BuildError) as raised:
        conda_file({"channels": [channel], "dependencies": ["numpy"]})
    assert "canary" not in f"{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize("channels", [[], ["nodefaults"], None, "conda-forge"])
def test_packages_of_condas_own_need_a_channel(channels: object) -> None:
    with pytest.raises(BuildError, match="names no channel"):
        conda_file({"channels": channels, "dependencies": ["numpy"]})
    with pytest.raises(BuildError, match="several channels"):
        conda_file({"channels": ["defaults"], "dependencies": ["numpy"]})


@pytest.mark.parametrize("document", [None, [], {"dependencies": "numpy"}])
def test_a_conda_file_without_a_list_is_refused(document: object) -> None:
    with pytest.raises(BuildError, match="holds no list"):
        conda_file(document)


@pytest.mark.parametrize("item", [{"conda": []}, {"pip": "numpy"}, 3, None])
def test_what_is_no_package_is_refused(item: object) -> None:
    with pytest.raises(BuildError, match="which is no package"):
        conda_file({"dependencies": [item]})
