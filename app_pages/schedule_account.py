"""The schedule accountant: what a warmup adds to training, drawn over the present schedule, with its commands."""

import pandas as pd
import streamlit as st

from analysis.charts.warmup import schedule_pair
from analysis.phases import train_steps
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.schedule import SHAPES, sample_steps, schedule_lr
from analysis.warmup import hold_steps, plan_warmup
from analysis.warmup_commands import full_command, is_ours, search_command
from analysis.warmup_cost import WarmupBudget
from analysis.warmup_tried import TriedWarmup, find_shortest
from app_pages import experiments, shown, words
from app_pages.pictures import Picture, colors, key_of, remember, show

LENGTHS = (*(digit * 10**power for power in range(6) for digit in (1, 2, 5)), 1_000_000)  # of the slider
FOR = "warmup lab of"  # which study and series the inputs were filled for
SHORTEST_TRAINING = 10  # ours: 10 % of it is one step


def fill_inputs(diagnosis: Diagnosis, sweep: LrSweep, defaults: dict[str, object]) -> None:
    """Fills the inputs anew where another study or series is looked at; those of a link stay."""
    now, before = (diagnosis.study.name, sweep.series), st.session_state.get(FOR)
    if before not in (None, now):
        st.session_state.update(defaults)
    st.session_state[FOR] = now


def choose_defaults(sweep: LrSweep, example: RunDiagnosis, tried: tuple[TriedWarmup, ...]) -> dict[str, object]:
    """Returns what the inputs start at: the numbers of the study and of the plan."""
    steps = max(SHORTEST_TRAINING, train_steps(example.run))
    plan = plan_warmup(sweep.unstable_base_lr or 1.0, steps)
    peak = plan.base_lr if sweep.unstable_base_lr else sweep.lr_star or example.run.base_lr
    base_lr, length = find_shortest(tried) or (peak, plan.warmup_steps[(len(plan.warmup_steps) - 1) // 2])
    shape = example.run.record.get(schema.SCHEDULE)
    return {
        "warmup_steps": min(LENGTHS, key=lambda each: abs(each - length)),
        "schedule": shape if shape in SHAPES else SHAPES[0],
        "base_lr": base_lr,
        "max_train_steps": steps,
    }


def ask(defaults: dict[str, object]) -> tuple[int, str, float, int]:
    """Offers the four numbers of a prepended schedule."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        length = st.select_slider(
            "Warmup steps",
            LENGTHS,
            defaults["warmup_steps"],
            format_func=lambda steps: f"{steps:,}",
            key="warmup_steps",
            bind="query-params",
            width=340,
        )
        shape = st.segmented_control(
            "Then", SHAPES, default=defaults["schedule"], required=True, key="schedule", bind="query-params"
        )
        base_lr = st.number_input(
            "Learning rate after warmup",
            1e-12,
            value=float(defaults["base_lr"]),
            step=None,
            format="%.6g",
            key="base_lr",
            bind="query-params",
            width=200,
        )
        steps = st.number_input(
            "Steps without warmup",
            SHORTEST_TRAINING,
            value=int(defaults["max_train_steps"]),
            key="max_train_steps",
            bind="query-params",
            width=200,
        )
    return int(length), str(shape), float(base_lr), int(steps)


def picture_of_schedules(example: RunDiagnosis, budget: WarmupBudget, shape: str, base_lr: float) -> Picture:
    """Draws the schedule with its warmup in front, over the one that the study has now."""
    steps = sample_steps(budget.total_steps, budget.warmup_steps)
    rates = schedule_lr(shape, base_lr, budget.max_train_steps, budget.warmup_steps, steps)
    planned, present = pd.DataFrame({"step": steps, "lr": rates}), present_schedule(example)
    chart = schedule_pair(planned, present, budget.warmup_steps, shape, colors())
    gray = f"Gray: the schedule of run {shown.name(example.run.name)}."
    every = budget.total_steps + (int(present["step"].max()) + 1 if len(present) else 0)
    drawn = f"{len(planned) + len(present):,} of {every:,} points drawn."
    caption = f"{drawn} {gray if len(present) else 'The present schedule is not on record.'}"
    alt = f"Learning rate over {budget.total_steps:,} steps: {budget.warmup_steps:,} of warmup, then {shape}."
    return Picture(chart, f"{budget.total_steps:,} steps, warmup in front", caption, alt)


def present_schedule(example: RunDiagnosis) -> pd.DataFrame:
    """Returns the present schedule by the record of a run, or by the rates it logged: step, lr."""
    record = example.run.record
    if record.get(schema.SCHEDULE) in SHAPES and example.run.base_lr and train_steps(example.run):
        length, total = int(record.get(schema.WARMUP_STEPS) or 0), train_steps(example.run)
        steps = sample_steps(total + length, length)
        return pd.DataFrame(
            {"step": steps, "lr": schedule_lr(record[schema.SCHEDULE], example.run.base_lr, total, length, steps)}
        )
    steps, lr = example.run.series(schema.LR)
    kept = sample_steps(len(steps), 0) if len(steps) else []
    return pd.DataFrame({"step": steps[kept], "lr": lr[kept]}).dropna()


def show_account(diagnosis: Diagnosis, sweep: LrSweep, example: RunDiagnosis, tried: tuple[TriedWarmup, ...]) -> None:
    """Shows what a warmup of any length adds to the steps of training, and the commands that try it."""
    st.subheader("What a warmup adds to training", anchor=False)
    defaults = choose_defaults(sweep, example, tried)
    fill_inputs(diagnosis, sweep, defaults)
    length, shape, base_lr, steps = ask(defaults)
    budget = WarmupBudget(length, steps)
    (st.warning if budget.is_long else st.info)(budget.sentence)
    key = key_of(diagnosis, "schedules", sweep.series, length, shape, base_lr, steps)
    show(remember(key, lambda: picture_of_schedules(example, budget, shape, base_lr)), "schedules")
    st.caption(
        "Warmup is put in front of the schedule, never taken out of it. Compare with the baseline at the best "
        "checkpoint of each, for the run with warmup is longer."
    )
    st.markdown(f"Try this length alone: ramp, then hold for {hold_steps(length, steps):,} steps.")
    st.code(search_command(diagnosis, example.run, base_lr, budget), language="bash", wrap_lines=True)
    if command := full_command(diagnosis, example.run, base_lr, budget, shape):
        st.markdown(f"Train in full with it: {budget.total_steps:,} steps.")
        st.code(command, language="bash", wrap_lines=True)
    if not is_ours(example.run):
        st.caption(words.OWN_COMMANDS)
    elif reason := experiments.why_not_here():
        st.caption(reason)
