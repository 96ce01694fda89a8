"""What `diagnose` returns: every check asked, each answered found, clear, or not checked and why.

The checks stand in analysis/checks.py, the fixes in analysis/fixes.py; the codes are explained in docs/findings.md.
"""

from collections.abc import Callable

from analysis.checks import CHECKS
from analysis.fixes import suggest_fixes
from analysis.judge import JudgedRuns
from analysis.lr_sweep import find_lr_sweeps
from analysis.results import Diagnosis
from analysis.runlog import Study
from analysis.series import name_series

FOUND_FIRST = {"found": 0, "clear": 1, "not-checked": 2}


def diagnose(
    study: Study, on_run: Callable[[int, int], None] | None = None, known: JudgedRuns | None = None
) -> Diagnosis:
    """Judges every run of a study, its learning-rate axes, asks every check, and suggests fixes.

    Args:
        study: The study.
        on_run: Called with (runs judged, runs in all) after each run, for a progress bar.
        known: Diagnoses of earlier looks at the same runs.

    Returns:
        The diagnosis. Findings come found first, then clear, then not checked.

    Source: PLAYBOOK P1 to P6.
    """
    labels = name_series(study)
    runs, known = [], known or JudgedRuns()
    for run in study:
        runs.append(known.judge(run, labels[run.run_id]))
        if on_run is not None:
            on_run(len(runs), len(study))
    sweeps = find_lr_sweeps(runs)
    asked = Diagnosis(study, sweeps, tuple(runs), (), ())
    findings = sorted((check(asked) for check in CHECKS), key=lambda finding: FOUND_FIRST[finding.outcome])
    asked = Diagnosis(study, sweeps, tuple(runs), tuple(findings), ())
    return Diagnosis(study, sweeps, tuple(runs), tuple(findings), suggest_fixes(asked))
