import json

import numpy as np
import pytest

from analysis.__main__ import main
from tests import curves


def write_csv(path, loss, name="loss"):
    """Writes a CSV log of one loss a step."""
    rows = "\n".join(f"{step},{value!r},0.1" for step, value in enumerate(map(float, loss)))
    path.write_text(f"step,{name},lr\n{rows}\n")
    return str(path)


@pytest.fixture
def broken(tmp_path):
    return write_csv(tmp_path / "broken.csv", curves.mid(400, 0, "not-recovered").loss)


@pytest.fixture
def steady(tmp_path):
    return write_csv(tmp_path / "steady.csv", curves.decline(400, np.random.default_rng(0)))


def test_json_alone_is_on_standard_output(broken, steady, capsys):
    assert main(["diagnose", broken, steady, "--json"]) == 0
    published = json.loads(capsys.readouterr().out)
    assert {run["run_id"]: run["verdict"] for run in published["runs"]} == {"broken": "unstable", "steady": "stable"}


@pytest.mark.parametrize(("grade", "code"), [("suspected", 1), ("unstable", 1), ("diverged", 0)])
def test_fail_on_exits_with_one_from_its_grade_on(broken, grade, code):
    assert main(["diagnose", broken, "--fail-on", grade]) == code


def test_a_steady_run_passes_every_grade(steady):
    assert main(["diagnose", steady, "--fail-on", "suspected"]) == 0


def test_the_verdict_is_the_first_line_of_the_text(broken, capsys):
    main(["diagnose", broken])
    assert capsys.readouterr().out.splitlines()[0].startswith("The loss climbs from step 2")


@pytest.mark.parametrize("argv", [["diagnose", "no_such_study"], ["diagnose", "x", "--map", "train_loss"]])
def test_unusable_input_is_one_line_and_exit_two(argv, capsys, tmp_path):
    assert main([*argv, "--store", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1


def test_a_folder_is_read_recursively_and_what_is_no_log_is_listed(tmp_path, broken, capsys):
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert main(["diagnose", str(tmp_path), "--json"]) == 0
    published = json.loads(capsys.readouterr().out)
    assert len(published["runs"]) == 1
    assert [entry["path"].endswith("notes.txt") for entry in published["skipped"]] == [True]


def test_import_then_diagnose_by_name_gives_the_same_verdicts(tmp_path, broken, steady, capsys):
    store = str(tmp_path / "store")
    assert main(["import", broken, steady, "--study", "mine", "--store", store]) == 0
    capsys.readouterr()
    assert main(["diagnose", "mine", "--store", store, "--json"]) == 0
    published = json.loads(capsys.readouterr().out)
    assert {run["verdict"] for run in published["runs"]} == {"stable", "unstable"}


def test_a_column_of_another_name_is_mapped(tmp_path):
    path = write_csv(tmp_path / "odd.csv", curves.decline(100, np.random.default_rng(0)), name="my_objective")
    assert main(["diagnose", path]) == 2
    assert main(["diagnose", path, "--map", "train_loss=my_objective"]) == 0


def test_a_log_of_ones_own_is_read_by_a_pattern(tmp_path, capsys):
    path = tmp_path / "train.log"
    path.write_text("".join(f"at {step} the loss is {3 - step / 100:.4f};\n" for step in range(100)))
    assert main(["diagnose", str(path)]) == 2
    assert main(["diagnose", str(path), "--pattern", r"at (?P<step>\d+) .* (?P<train_loss>\S+)$"]) == 0
    store = ["--study", "mine", "--store", str(tmp_path / "store")]
    assert main(["import", str(path), *store, "--pattern", r"at (?P<step>\d+) .* (?P<train_loss>\S+)$"]) == 0
    assert main(["diagnose", str(path), "--format", "csv"]) == 2
    assert "no step column" in capsys.readouterr().err


def test_formats_lists_every_reader_with_what_it_loses(capsys):
    from analysis.runlog.readers import READERS

    assert main(["formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{reader.NAME}: {reader.LOSES}" for reader in READERS]
