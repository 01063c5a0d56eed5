from tests.shim.conftest import ByHand


def test_a_file_runs_as_a_script_with_its_arguments_and_its_neighbours(by_hand: ByHand) -> None:
    files = {
        "score.py": "import sys, neighbour, azureml.assets\nprint(__name__, sys.argv, neighbour.NAME)\n",
        "neighbour.py": "NAME = 'beside'\n",
    }

    done = by_hand("score.py", "--top", "3", files=files)

    assert done.stdout == "__main__ ['score.py', '--top', '3'] beside\n", done.stderr


def test_what_the_file_raises_is_what_is_seen(by_hand: ByHand) -> None:
    done = by_hand("score.py", files={"score.py": "raise SystemExit(7)\n"})

    assert done.returncode == 7


def test_without_a_file_it_says_how_it_is_called(by_hand: ByHand) -> None:
    done = by_hand("", files={"score.py": ""})

    assert (done.returncode, done.stdout) == (1, "")
