import shlex
from dataclasses import replace

import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.fix_commands import OPTIMIZER_OPTIONS, REPAIRED, command_for, ladder_command
from analysis.runlog import schema
from runners import lr_sweep
from runners.config import RunConfig
from runners.update_rules import UPDATE_RULES, rule_options
from runners.workloads import read_variant
from runners.workloads.workload import BUILT_IN
from tests.studies import make_run, make_study, sweep


def diagnose_run(config, command=""):
    facts = {schema.BATCH_SIZE: 64, schema.BASELINE_LOSS: 2.3, schema.COMMAND: command}
    return diagnose(make_study([make_run(np.linspace(2, 1, 50), **facts | config.to_record())]))


def suggest(fix, config, command="", **numbers):
    diagnosis = diagnose_run(config, command)
    return command_for(fix, diagnosis, diagnosis.runs[0].run, {"base_lr": 0.5} | numbers)


def read_command(text, monkeypatch):
    """Returns the configurations that a command line of lr_sweep trains."""
    planned = []
    monkeypatch.setattr("runners.launch.launch", lambda plan, arguments: planned.extend(plan))
    module, *arguments = shlex.split(text)[2:]
    assert module == "runners.lr_sweep"
    lr_sweep.main(arguments)
    return [planned_run.config for planned_run in planned]


CONFIGS = [
    RunConfig("mlp", "momentum", 0.1, 50, {"depth": 5, "norm": "layer"}, {"gamma": 0.95}, schedule="cosine"),
    RunConfig("charlm", "adam", 0.1, 50, {"norm": "pre", "rezero": True}, warmup_steps=20, clip_threshold=2.5),
    RunConfig("deepres", "sgd", 0.1, 50, clip_rule="autoclip", clip_options={"percentile": 20}),
    RunConfig("tests.runners.own_workload:tiny", "rmsprop", 0.1, 50, {"width": 3}, update_clip_threshold=0.5),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.workload)
def test_a_suggested_sweep_repeats_every_setting_of_the_run_but_its_rate(config, monkeypatch):
    trained = read_command(suggest("lower-lr", config), monkeypatch)
    assert trained == [replace(config, base_lr=0.5, seed=seed) for seed in range(3)]


def test_the_batch_size_is_an_option_where_a_command_gave_it(monkeypatch):
    config = RunConfig("mlp", "momentum", 0.1, 50, {"batch_size": 16})
    command = "python -m runners.lr_sweep --workload mlp --variant batch_size=16"
    trained = read_command(suggest("lower-lr", config, command), monkeypatch)
    assert trained[0].variant["batch_size"] == 16


def test_clipping_takes_the_place_of_the_clipping_that_was(monkeypatch):
    for config in (CONFIGS[1], CONFIGS[2]):
        (first, *_) = read_command(suggest("clipping", config, clip_threshold=4.0), monkeypatch)
        assert first == replace(config, base_lr=0.5, clip_threshold=4.0, clip_rule="global_norm", clip_options={})


def test_another_optimizer_starts_from_its_own_settings(monkeypatch):
    (first, *_) = read_command(suggest("optimizer", CONFIGS[0], optimizer="adam"), monkeypatch)
    assert first == replace(CONFIGS[0], optimizer="adam", optimizer_options={}, base_lr=0.5)


@pytest.mark.parametrize("workload", sorted(REPAIRED))
def test_the_repaired_twin_is_a_variant_of_its_workload(workload):
    name, value = REPAIRED[workload]
    assert workload in BUILT_IN
    assert read_variant(workload, {name: value})[name] == value


def test_the_architecture_command_trains_the_repaired_twin(monkeypatch):
    (first, *_) = read_command(suggest("architecture", CONFIGS[1]), monkeypatch)
    assert first == replace(CONFIGS[1], base_lr=0.5, variant={"norm": "res_post", "rezero": True})


def test_every_metaparameter_of_an_update_rule_is_known():
    assert set(OPTIMIZER_OPTIONS) == {name for rule in UPDATE_RULES for name in rule_options(rule)}


def test_the_ladder_starts_from_the_series_that_its_fixes_start_from():
    runs = [*sweep(0.3, stride="1x1"), *sweep(9.0, stride="2x2")]
    assert ladder_command(diagnose(make_study(runs)).fixes) == (
        "python -m runners.fix_sweep --study study --variant stride=1x1"
    )
    foreign = [replace(run, record={**run.record, schema.SOURCE: "csv: a.csv"}) for run in runs]
    assert ladder_command(diagnose(make_study(foreign)).fixes) == ""
