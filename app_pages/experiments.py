"""Try this: the button that starts a fix's command as an experiment, and the experiments of a fix as they go."""

import os
from collections.abc import Sequence

import streamlit as st

from analysis.fix_commands import OWN_WORKLOAD, ladder_command
from analysis.focus import choose_sweep
from analysis.results import Diagnosis, Fix
from analysis.runlog import RunLogError, experiments, layout, schema
from analysis.runlog.experiments import Experiment
from app_pages import people, shown, studies, words
from app_pages.pictures import draw, key_of, picture_of_loss, remember

REFRESH = "1s"  # ours: how often the progress of an experiment moves
SETTING = "STEADYSTEP_EXPERIMENTS"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PICTURE_HEIGHT = 180  # pixels


def why_none(setting: str, address: str | None, host: str, visitor: str | None) -> str:
    """Says why this server starts no experiments; "" where it does.

    Without a setting it does so for people at this machine alone: the server listens to nobody else, and the visitor
    comes from here and asked for this machine by its own name.

    Args:
        setting: Value of $STEADYSTEP_EXPERIMENTS, "" for none.
        address: Address that the server is bound to.
        host: Host header of the visitor's request.
        visitor: Address of a visitor from elsewhere, None for this machine.
    """
    if setting == "on":
        return ""
    if setting == "off":
        return words.EXPERIMENTS_OFF
    if setting:
        return f"{SETTING}={setting} is neither on nor off. Set it to one of them; until then nothing starts from here."
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    is_local = address in LOOPBACK and name.strip("[]") in LOOPBACK and visitor is None
    return "" if is_local else words.EXPERIMENTS_NOT_LOCAL


def why_not_here() -> str:
    """Says why no experiment on the chosen study can be started from this page; "" where it can."""
    if not people.may("reviewer"):
        return people.EXPERIMENTS_NEED
    if studies.is_sample():
        return words.SAMPLE_COMMANDS
    if st.session_state.get(studies.KEY, "").startswith(studies.UPLOAD_PREFIX):
        return words.UPLOAD_COMMANDS
    if layout.is_url():
        return words.URL_COMMANDS
    return why_none(
        os.environ.get(SETTING, ""),
        st.get_option("server.address"),
        st.context.headers.get("Host") or "",
        st.context.ip_address,
    )


def show_command(diagnosis: Diagnosis, fix: Fix, is_first: bool = False) -> None:
    """Shows the command of a fix and, where it can run, its button and its experiments.

    Args:
        diagnosis: The study's diagnosis.
        fix: The fix.
        is_first: Whether it is the one to try first.
    """
    st.code(fix.command, language="bash", wrap_lines=True)
    if why_not_here():
        return
    if OWN_WORKLOAD in fix.command:
        st.caption(words.OWN_COMMANDS)
        return
    if loads_own_code(diagnosis) and os.environ.get(SETTING) != "on":
        st.caption(words.OWN_CODE)
        return
    known = latest_experiments(diagnosis, (fix.fix,))
    follow(diagnosis, known, fix, is_first)
    for experiment in known:
        show_losses(diagnosis, experiment)


def loads_own_code(diagnosis: Diagnosis) -> bool:
    """Whether training again would import a module that a run record names; an imported record may name any."""
    return any(":" in str(judged.run.record.get(schema.WORKLOAD)) for judged in diagnosis.runs)


def show_others(diagnosis: Diagnosis) -> None:
    """Shows the experiments of fixes that are not suggested any more."""
    if why_not_here():
        return
    suggested = {fix.fix for fix in diagnosis.fixes} | ({words.LADDER} if ladder_command(diagnosis.fixes) else set())
    known = latest_experiments(diagnosis, tuple(name for name in words.FIX_NAMES if name not in suggested))
    if known:
        st.subheader("Earlier experiments", anchor=False)
        with st.container(border=True):
            follow(diagnosis, known)
            for experiment in known:
                show_losses(diagnosis, experiment)


def latest_experiments(diagnosis: Diagnosis, names: Sequence[str]) -> tuple[Experiment, ...]:
    """Returns the experiments of fixes, the newest first; of equal commands the last."""
    found = experiments.list_experiments(diagnosis.study.name)
    latest = {experiment.argv: experiment for experiment in found if experiment.fix in names}
    return tuple(sorted(latest.values(), key=lambda experiment: experiment.folder, reverse=True))


def follow(diagnosis: Diagnosis, known: Sequence[Experiment], fix: Fix | None = None, is_first: bool = False) -> None:
    """Shows experiments, again and again as long as one of them has not ended, and redraws the page when it must be.

    Args:
        diagnosis: The study's diagnosis.
        known: The experiments as the page knows them.
        fix: The fix that they try and that can be started, None for none.
        is_first: Whether that fix is the one to try first.
    """
    names = (fix.fix,) if fix else tuple({experiment.fix for experiment in known})

    def show_again() -> None:
        now = latest_experiments(diagnosis, names)
        if [stage_of(each) for each in now] != [stage_of(each) for each in known]:
            st.rerun()
        if fix:
            show_button(diagnosis, fix, now, is_first)
        for experiment in now:
            show_experiment(experiment)

    refresh = REFRESH if any(experiment.is_active for experiment in known) else None
    st.fragment(show_again, run_every=refresh, key=f"experiments of {' '.join(names)}")()


def stage_of(experiment: Experiment) -> tuple[str, ...]:
    """Returns what the page outside of the progress depends on."""
    begun = experiment.progress is not None and experiment.progress.num_done_steps > 0
    return experiment.folder.name, experiment.state, experiment.progress.note if begun else ""


def show_button(diagnosis: Diagnosis, fix: Fix, known: Sequence[Experiment], is_first: bool) -> None:
    """Shows the button that starts a fix, unless its very command is under way or done."""
    argv = experiments.complete_command(fix.command)
    state = next((experiment.state for experiment in known if experiment.argv == argv), "")
    if state == "done" or state in experiments.ACTIVE:
        return
    label, icon = words.TRY_AGAIN if state else words.TRY_THIS
    if st.button(label, icon=icon, type="primary" if is_first else "secondary", key=f"try {fix.fix}"):
        try:
            experiments.start_experiment(fix.fix, fix.command, diagnosis.study.name)
        except RunLogError as error:
            st.error(shown.sentence(str(error)))
            return
        st.rerun()


def show_experiment(experiment: Experiment) -> None:
    """Shows one experiment: its state, how far it is or what came out, and how to stop it."""
    label, color, icon = words.EXPERIMENT_STATES[experiment.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(label, icon=icon, color=color)
        st.caption(shown.sentence(describe(experiment)), width="content")
        if experiment.state in ("queued", "running") and st.button(
            "Cancel", key=f"cancel {experiment.folder.name}", type="tertiary", icon=":material/close:"
        ):
            experiments.cancel_experiment(experiment.folder)
            st.rerun()
    if experiment.state in ("running", "stopping"):
        progress = experiment.progress
        st.progress(min(1.0, progress.num_done_steps / progress.num_steps) if progress else 0.0)
    if not experiment.is_active:
        with st.expander("Command and output", type="compact"):
            output = (experiment.read_tail(name) for name in (experiments.MESSAGES_FILE, experiments.OUTPUT_FILE))
            st.code("\n".join([f"$ {experiment.command}", *filter(None, output)]), language=None, wrap_lines=True)


def describe(experiment: Experiment) -> str:
    """Says how far an experiment is, or what came of it; quotes its output: show it through `shown`."""
    progress = experiment.progress
    if experiment.state == "queued":
        ahead = experiments.num_ahead(experiment.folder)
        return f"{ahead} experiment{'s' * (ahead != 1)} before it" if ahead else "Starts in a moment"
    if experiment.state == "running" and progress:
        left = "" if progress.seconds_left is None else f", about {say_seconds(progress.seconds_left)} left"
        return f"{progress.num_done_steps:,} of {progress.num_steps:,} steps, {progress.note}{left}"
    if experiment.state == "failed":
        return last_line(experiment.read_tail(experiments.MESSAGES_FILE)).removeprefix("error: ")
    if experiment.state == "done":
        return last_line(experiment.read_tail(experiments.OUTPUT_FILE))
    return words.EXPERIMENT_SENTENCES[experiment.state]


def last_line(text: str) -> str:
    """Returns the last line that is a result; which command comes next is what the page itself says."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("next: ")]
    return lines[-1] if lines else "It printed nothing."


def say_seconds(seconds: float) -> str:
    """Returns a time left as people say it.

    >>> say_seconds(12.3), say_seconds(150)
    ('12 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def show_losses(diagnosis: Diagnosis, experiment: Experiment) -> None:
    """Shows the losses of the runs that an experiment has trained so far."""
    runs = [judged for judged in diagnosis.runs if judged.run.record.get(schema.COMMAND) == experiment.command]
    if not runs:
        return
    picture = remember(
        key_of(diagnosis, "experiment", experiment.folder.name),
        lambda: picture_of_loss(runs, choose_sweep(diagnosis), height=PICTURE_HEIGHT),
    )
    draw(picture, f"losses of {experiment.folder.name}")
    count = f"Losses of its {len(runs)} run{'s' * (len(runs) != 1)}."
    st.caption(shown.sentence(f"{count} {picture.caption}"))
