"""Warmup: the plan of the search with its costs, what a warmup adds to training, and what those tried so far showed."""

import math

import pandas as pd
import streamlit as st

from analysis.charts.warmup import WORDS, warmup_outcomes
from analysis.fix_commands import command_for
from analysis.fix_outcomes import SEEDS_AT_LEAST
from analysis.fixes import PROBE_FACTOR, PROBE_STEPS
from analysis.focus import runs_of
from analysis.lr_words import number, say_times
from analysis.phases import train_steps
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.warmup import FAR_FACTOR, LONGEST_SHARE, PEAK_FACTOR, WarmupPlan, plan_warmup
from analysis.warmup_cost import measure_step_seconds, say_percent, tabulate_plan
from analysis.warmup_tried import TriedWarmup, compare_tried, find_tried, say_tried
from app_pages import experiments
from app_pages.chosen import diagnosis_or_stop, pick_sweep
from app_pages.empty import show_no_sweep
from app_pages.pictures import Picture, colors, key_of, remember, show
from app_pages.schedule_account import show_account


def present_run(diagnosis: Diagnosis, sweep: LrSweep) -> RunDiagnosis:
    """Returns the run that the present schedule is taken from: one at lr_star, else the first of the series."""
    return (runs_of(diagnosis, sweep, [sweep.lr_star]) or runs_of(diagnosis, sweep))[0]


def show_no_instability(diagnosis: Diagnosis, sweep: LrSweep, example: RunDiagnosis) -> None:
    """Says that there is no unstable rate to warm up past, and how to look for one."""
    highest = number(max(run.base_lr for run in sweep.runs))
    st.info(
        f"No learning rate up to {highest} is known to be unstable, so there is nothing to warm up past: first find "
        "where training breaks.",
        icon=":material/troubleshoot:",
    )
    start = sweep.lr_star or min(run.base_lr for run in sweep.runs)
    numbers = {"base_lr": float(f"{PROBE_FACTOR * start:.6g}"), "max_train_steps": PROBE_STEPS}
    st.code(command_for("probe", diagnosis, example.run, numbers), language="bash", wrap_lines=True)


def show_plan(plan: WarmupPlan, sweep: LrSweep, step_seconds: float | None) -> None:
    """Shows the plan: what is searched, at which peaks, and what each length costs."""
    unstable = sweep.unstable_base_lr
    st.subheader("The plan", anchor=False)
    longest = plan.warmup_steps[-1]
    st.markdown(
        f"Training becomes unstable at learning rate **{number(unstable)}**. Ramp from 0 to "
        f"**{number(plan.base_lr)}**, {PEAK_FACTOR:g} times that, and hold. Where a length holds, go on to "
        f"**{number(FAR_FACTOR * unstable)}**, {FAR_FACTOR:g} times. Take the shortest that holds in "
        f"{SEEDS_AT_LEAST} of {SEEDS_AT_LEAST} seeds. The longest to try is {longest:,} steps, "
        f"{LONGEST_SHARE:.0%} of {plan.max_train_steps:,}."
    )
    table = table_of_plan(tabulate_plan(plan, SEEDS_AT_LEAST, step_seconds))
    st.table(table, border="horizontal", hide_index=True)
    most = SEEDS_AT_LEAST * plan.most_steps
    said = f"At most {most:,} steps in all, with the lengths between, both peaks and full training at several rates."
    if step_seconds is None:
        said += " No time is estimated: these logs hold no elapsed_seconds."
    else:
        each = f"{number(1000 * step_seconds)} ms a step, as logged"
        said += f" About {experiments.say_seconds(most * step_seconds)} at {each}."
    st.caption(said)


def table_of_plan(table: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per length, as the page shows it."""
    said = pd.DataFrame(
        {
            "warmup steps": table["warmup_steps"].map("{:,}".format),
            "share of training": table["share"].map(say_percent),
            "steps held after": table["post_warmup_steps"].map("{:,}".format),
            f"search, {SEEDS_AT_LEAST} seeds": table["search_steps"].map("{:,} steps".format),
            "full training with it": table["total_steps"].map("{:,} steps".format),
        }
    )
    if table["search_seconds"].notna().all():
        said.insert(4, "search time", table["search_seconds"].map(experiments.say_seconds))
        said["training time"] = table["total_seconds"].map(experiments.say_seconds)
    return said


def show_tried(diagnosis: Diagnosis, sweep: LrSweep, tried: tuple[TriedWarmup, ...]) -> None:
    """Shows which lengths held and which broke, as far as the study holds them."""
    st.subheader("What was tried", anchor=False)
    st.markdown(say_tried(tried, sweep.unstable_base_lr))
    if not tried:
        return
    show(remember(key_of(diagnosis, "tried", sweep.series), lambda: picture_of_tried(tried, sweep)), "tried")
    baseline, compared = compare_tried(diagnosis, sweep, tried)
    table = table_of_tried(compared, sweep)
    st.dataframe(table, hide_index=True, alt="Every warmup that was tried, and its outcome")
    if baseline is not None and not math.isnan(baseline.best_loss):
        st.caption(
            f"Best checkpoint without warmup, at learning rate {number(baseline.base_lr)}: validation loss "
            f"{number(baseline.best_loss)}, the mean over {len(baseline.runs)} seeds. Every run offers equally many."
        )


def picture_of_tried(tried: tuple[TriedWarmup, ...], sweep: LrSweep) -> Picture:
    """Draws the outcomes by length and learning rate."""
    chart = warmup_outcomes(tried, sweep.unstable_base_lr, colors())
    caption = f"{len(tried)} of {len(tried)} settings drawn, each over its seeds."
    return Picture(chart, "Which warmup holds", caption, say_tried(tried, sweep.unstable_base_lr))


def table_of_tried(tried: tuple[TriedWarmup, ...], sweep: LrSweep) -> pd.DataFrame:
    """Returns one row per setting, as the page shows it."""
    unstable = sweep.unstable_base_lr
    return pd.DataFrame(
        {
            "learning rate": [number(each.base_lr) for each in tried],
            "times the unstable": ["" if unstable is None else say_times(each.base_lr / unstable) for each in tried],
            "warmup steps": [each.warmup_steps for each in tried],
            "of": ["full training" if each.is_full else "search" for each in tried],
            "outcome": [WORDS[each.state] for each in tried],
            "seeds steady": [f"{len(each.setting.steady)} of {len(each.setting.runs)}" for each in tried],
            "best checkpoint": [
                "" if math.isnan(each.setting.best_loss) else number(each.setting.best_loss) for each in tried
            ],
            "steps taken": [each.setting.num_steps for each in tried],
        }
    )


diagnosis = diagnosis_or_stop()
st.title("Warmup", anchor=False)
sweep = pick_sweep(diagnosis)
if sweep is None:
    show_no_sweep()
    st.stop()
example = present_run(diagnosis, sweep)
tried = find_tried(diagnosis, sweep)
if sweep.unstable_base_lr is None:
    show_no_instability(diagnosis, sweep, example)
else:
    plan = plan_warmup(sweep.unstable_base_lr, train_steps(example.run))
    show_plan(plan, sweep, measure_step_seconds(judged.run for judged in runs_of(diagnosis, sweep)))
st.space("small")
show_account(diagnosis, sweep, example, tried)
st.space("small")
show_tried(diagnosis, sweep, tried)
