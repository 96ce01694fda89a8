"""What an experiment works with: the series of a study that it extends, what its runs showed, and the options."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from analysis.findings import diagnose
from analysis.fix_case import Case, find_case
from analysis.fix_outcomes import Setting
from analysis.lr_sweep import find_lr_sweep
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import RunLogError, Study, schema
from runners.command_line import read_variants
from runners.config import RunConfig
from runners.plan import PlannedRun, find_existing
from runners.series import BaselineRun, choose_series, plan_variations, vary

Change = Mapping[str, object]  # fields of RunConfig that a setting changes, by name


@dataclass(frozen=True)
class Bench:
    """A study, seen from one command.

    Attributes:
        study: What the store holds.
        diagnosis: Its diagnosis.
        arguments: Values of the command's options.
        command: The command line.
    """

    study: Study
    diagnosis: Diagnosis
    arguments: Namespace
    command: str

    @property
    def seeds(self) -> range:
        """The seeds of every setting."""
        return range(self.arguments.seeds)

    @cached_property
    def series(self) -> Sequence[BaselineRun]:
        """The swept runs that the experiment starts from."""
        return choose_series(self.study, read_variants(self.arguments.variant))

    @property
    def config(self) -> RunConfig:
        """A configuration of the series; learning rate and seed are those of any of its runs."""
        return vary(self.series, {}, self.arguments, self.series[0].config.seed)

    @cached_property
    def swept(self) -> tuple[RunDiagnosis, ...]:
        """The diagnoses of the series, without the runs of experiments."""
        run_ids = {run.run_id for run in self.series}
        return tuple(judged for judged in self.diagnosis.runs if judged.run.run_id in run_ids)

    @cached_property
    def sweep(self) -> LrSweep:
        """The learning-rate axis of the series, without the runs of experiments."""
        return find_lr_sweep(self.swept[0].series, list(self.swept))

    @cached_property
    def case(self) -> Case | None:
        """What fixes of the series rest on, judged from its sweep alone; None where instability does not limit it."""
        swept = {run.run_id for run in self.series}
        alone = replace(self.study, runs=tuple(run for run in self.study if run.run_id in swept))
        case = find_case(diagnose(alone))
        return case if case is not None and case.sweep is not None else None

    @property
    def lr_star(self) -> float:
        """The best learning rate of the series.

        Raises:
            RunLogError: Where no run of the series is feasible.
        """
        if self.sweep.lr_star is None:
            raise RunLogError(
                f"study {self.study.name} has no feasible run, so no lr_star to start from. "
                "Train lower learning rates with python -m runners.lr_sweep"
            )
        return self.sweep.lr_star

    @property
    def unstable_base_lr(self) -> float:
        """The learning rate at which the series becomes unstable.

        Raises:
            RunLogError: Where no instability was seen.
        """
        if self.sweep.unstable_base_lr is None:
            raise RunLogError(
                f"study {self.study.name} shows no instability in its sweep. Extend it upward with "
                "python -m runners.lr_sweep, or give --base-lr"
            )
        return self.sweep.unstable_base_lr

    @property
    def baseline(self) -> Setting:
        """The runs at the best learning rate."""
        runs = tuple(judged for judged in self.swept if judged.run.base_lr == self.lr_star)
        return Setting(f"{schema.BASE_LR}={self.lr_star:g}", runs)

    @cached_property
    def _ended(self) -> Mapping[str, RunDiagnosis]:
        """The diagnoses of all runs that have ended, by configuration key."""
        judged = {judged.run.run_id: judged for judged in self.diagnosis.runs}
        return {
            key: judged[str(record[schema.RUN_ID])]
            for key, record in find_existing(self.study).items()
            if record.get(schema.STATUS) in schema.ENDED
        }

    def ended(self, config: RunConfig) -> RunDiagnosis | None:
        """Returns the diagnosis of a configuration's run, None where none has ended."""
        return self._ended.get(config.key)

    def plan(self, changes: Sequence[Change], changed: str, seeds: Sequence[int] | None = None) -> list[PlannedRun]:
        """Returns the runs of these changes that have not ended yet.

        Args:
            changes: Fields of RunConfig by name, one mapping a setting.
            changed: The metaparameter that the experiment is about.
            seeds: Seeds of each setting; all by default.
        """
        facts = {schema.CHANGED: changed, schema.COMMAND: self.command}
        plan = plan_variations(self.series, changes, self.arguments, self.seeds if seeds is None else seeds, facts)
        return [planned for planned in plan if planned.config.key not in self._ended]

    def setting(self, change: Change, **shown: object) -> Setting | None:
        """Returns the runs of a change that have ended, over all seeds; None without any.

        Args:
            change: Fields of RunConfig by name.
            **shown: What its label says, besides the learning rate.
        """
        configs = [vary(self.series, change, self.arguments, seed) for seed in self.seeds]
        runs = tuple(self._ended[config.key] for config in configs if config.key in self._ended)
        label = ", ".join(f"{name}={_show(value)}" for name, value in shown.items())
        rate = f"{schema.BASE_LR}={configs[0].base_lr:g}"
        return Setting(f"{label}, {rate}" if label else rate, runs) if runs else None

    def count_steps(self, change: Change) -> int:
        """Returns the steps that all seeds of a change take."""
        return len(self.seeds) * vary(self.series, change, self.arguments, 0).total_steps


def _show(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
