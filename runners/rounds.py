"""Experiments that decide as they go: propose runs, train them, judge, and again until the question is answered.

What is proposed depends on nothing but the study, so resuming an experiment is proposing again.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.findings import diagnose
from analysis.fix_outcomes import Outcome
from analysis.judge import JudgedRuns
from analysis.runlog import Study, read_study, schema

if TYPE_CHECKING:  # what trains imports torch, which takes seconds; --help needs none of it
    from runners.bench import Bench
    from runners.plan import PlannedRun


@dataclass(frozen=True)
class Round:
    """The runs to train next.

    Attributes:
        runs: Runs that have not ended yet, at least one.
        why: What they are to show, one sentence.
        most_steps_after: Steps that later rounds take in the worst case.
        concluded: Outcomes of the experiments before this one, where one command runs several.
    """

    runs: "list[PlannedRun]"
    why: str
    most_steps_after: int
    concluded: tuple[Outcome, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What is known by now."""
        return self.concluded


Propose = Callable[["Bench"], Round | Outcome]


def run_rounds(propose: Propose, arguments: Namespace, command: str, begins_empty: bool = False) -> Outcome | None:
    """Runs an experiment round by round, and prints why each is trained and what came out.

    Args:
        propose: The next round, or the outcome, from what the study holds.
        arguments: Values of the common options.
        command: The command line.
        begins_empty: Whether it needs no run to start from, nor a study.

    Returns:
        The outcome; None at --dry-run, which prints the next round and trains nothing.

    Raises:
        RunLogError: Without --resume, where runs of the first round are in the study already.
    """
    from runners.bench import Bench
    from runners.launch import check_engine, print_plan, read_if_any, say_next, train_runs
    from runners.ledger import keep_outcomes
    from runners.plan import split_done

    check_engine(arguments)
    known = JudgedRuns()

    def propose_for(study: Study, keeps: bool = True) -> Round | Outcome:
        bench = Bench(study, diagnose(study, known=known), arguments, command)
        proposal = propose(bench)
        if keeps and not arguments.dry_run:
            keep_outcomes(bench, proposal.outcomes)
        return proposal

    study = (read_if_any if begins_empty else read_study)(arguments.study, arguments.store)
    if not arguments.resume:
        begin = replace(study, runs=()) if begins_empty else without_experiments(study)
        first = propose_for(begin, keeps=False)
        if isinstance(first, Round):
            split_done(first.runs, study, resume=False)
    while isinstance(proposal := propose_for(study), Round):
        print(proposal.why, flush=True)
        left, _ = split_done(proposal.runs, study, resume=True)
        if arguments.dry_run:
            print_plan(left, 0, arguments.jobs)
            print(f"later rounds take at most {proposal.most_steps_after:,} steps, depending on what these runs show")
            return None
        train_runs(left, arguments)
        study = read_study(arguments.study, arguments.store)
    print(*(f"  {line}" for line in proposal.lines), proposal.sentence, sep="\n")
    say_next(arguments)
    return proposal


def without_experiments(study: Study) -> Study:
    """Returns the study as it was before any experiment: without the runs that vary another run."""
    return replace(study, runs=tuple(run for run in study if not run.record.get(schema.PARENT_RUN)))
