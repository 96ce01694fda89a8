"""Update rules: the six rules as mathematics and as code, where torch.optim differs, and what they do."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.focus import choose_sweep, runs_of
from analysis.lr_words import number, say_times
from analysis.results import Diagnosis, RunDiagnosis
from analysis.rule_differences import COMPARED_STEPS, find_rule_differences
from analysis.trajectories import NUM_STEPS
from analysis.update_rules import UPDATE_RULES
from analysis.update_sizes import MOST_NORMS, UpdateSizes, replay_update_sizes
from app_pages import studies
from app_pages.documents import read_sections
from app_pages.norm_choice import HOW_TO_LOG, pick_run
from app_pages.pictures import key_of, remember, show
from app_pages.rule_pictures import TITLES, picture_of_first_steps, picture_of_path, picture_of_sizes, theme
from app_pages.source_text import code_of

SECTIONS = read_sections("update-rules.md")
GRADIENTS = [float(f"1e{power}") for power in range(-8, 3)]
CONDITION_NUMBERS = [1, 3, 10, 30, 100, 300, 1000]
GAMMAS = [0.0, 0.5, 0.9, 0.99]
ADAPTIVE_LRS = [0.01, 0.03, 0.1, 0.3, 1.0]
EQUAL = 0.01  # ours: a ratio this close to 1 reads "equal"
PANELS_A_ROW = 3


def show_rule(rule: str) -> None:
    """Shows one rule: mathematics beside code."""
    section = SECTIONS[rule]
    left, right = st.columns([5, 7], gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown(f"**{section.title}**")
        for formula in section.formulas:
            st.latex(formula)
        st.markdown(section.text)
    with right.container(border=True, height="stretch"):
        st.markdown("**The same in NumPy**")
        st.code(code_of(UPDATE_RULES[rule]), language="python", wrap_lines=True)
        st.caption("Read from analysis/update_rules.py. update returns the step, not yet taken, and the next state.")


@st.cache_data(max_entries=len(GRADIENTS), show_spinner=False)
def table_of_differences(gradient: float) -> pd.DataFrame:
    """Returns one row per place where torch.optim differs, with the size of the difference."""
    rows = []
    for each in find_rule_differences(gradient):
        row = {"rule": TITLES[each.rule], "what": each.place, "playbook": each.playbook, "torch.optim": each.torch}
        row["step 0, playbook"] = number(each.playbook_steps[0])
        row["step 0, torch"] = number(each.torch_steps[0])
        for step, ratio in zip(COMPARED_STEPS, each.ratios, strict=True):
            row[f"ratio, step {step:,}"] = say_ratio(ratio)
        rows.append(row)
    return pd.DataFrame(rows)


def say_ratio(ratio: float) -> str:
    """Says how a step of torch.optim compares with one of the playbook."""
    if abs(ratio - 1) < EQUAL:
        return "equal"
    return f"{say_times(ratio)} times" if ratio >= 2 else f"{ratio:.3g} times"


def show_differences() -> None:
    """Shows where torch.optim differs, computed at a gradient of choice."""
    st.subheader("Where torch.optim differs", anchor=False)
    rules = ("rmsprop", "adam", "nadam")
    for column, rule in zip(st.columns(len(rules), gap="small"), rules, strict=True):
        with column:
            show(remember(("first", theme(), rule), lambda rule=rule: picture_of_first_steps(rule)), f"first_{rule}")
    st.markdown("Place by place, at one gradient:")
    gradient = st.select_slider(
        "Gradient, the same at every step", GRADIENTS, 1e-6, number, key="gradient", bind="query-params", width=420
    )
    st.dataframe(
        table_of_differences(gradient),
        hide_index=True,
        height="content",
        alt="Places where torch.optim differs from the playbook, with the size of the difference",
    )
    st.caption(
        "One place at a time, all others as in the playbook. Steps in units of the learning rate, which is halved "
        "after step 0. Ratio: the step of torch.optim over that of the playbook; within 1% it reads equal."
    )
    st.markdown(SECTIONS["where-torch-optim-differs"].text)


def show_paths() -> None:
    """Shows the path of every rule on a bowl."""
    st.subheader("Paths on a bowl", anchor=False)
    st.markdown(
        "A loss that is steep one way and flat the other. A share of 1 is the learning rate at which the rule stops "
        "coming closer; each of the first three has its own. The other three have none and take their own rate."
    )
    kept = {"bind": "query-params", "width": 250}
    with st.container(horizontal=True, gap="medium"):
        condition_number = st.select_slider(
            "Condition number", CONDITION_NUMBERS, 30, "{:,}".format, key="condition", **kept
        )
        share = st.slider("Share of the limit", 0.05, 1.5, 0.5, 0.05, key="share", **kept)
        gamma = st.select_slider("Momentum, gamma", GAMMAS, 0.9, key="gamma", **kept)
        adaptive_lr = st.select_slider(
            "Learning rate of RMSProp, Adam, NAdam", ADAPTIVE_LRS, 0.1, key="adaptive_lr", **kept
        )
    chosen = (share, adaptive_lr, condition_number, gamma)

    def draw(rule: str) -> None:
        key = ("path", theme(), rule, *chosen)
        show(remember(key, lambda: picture_of_path(rule, *chosen)), f"path_{rule}")

    show_panels(draw)
    st.caption(
        f"{NUM_STEPS} steps each. Ring: start. Dot: the lowest point. Orange: above the limit. Cross: where a path "
        "that is cut leaves the picture."
    )
    with st.expander("Where the limits come from"):
        st.markdown(SECTIONS["paths-on-a-bowl"].text)


def show_panels(draw) -> None:
    """Draws one panel a rule, in rows."""
    rules = list(UPDATE_RULES)
    for first in range(0, len(rules), PANELS_A_ROW):
        for column, rule in zip(
            st.columns(PANELS_A_ROW, gap="small"), rules[first : first + PANELS_A_ROW], strict=True
        ):
            with column:
                draw(rule)


def runs_with_norms(diagnosis: Diagnosis | None) -> dict[str, RunDiagnosis]:
    """Returns the runs with a finite norm above 0, by run_id: those at lr_star first."""
    if diagnosis is None:
        return {}
    logged = [
        j for j in diagnosis.runs if j.grad_norm is not None and j.grad_norm.max > 0 and np.isfinite(j.grad_norm.p50)
    ]
    sweep = choose_sweep(diagnosis)
    best = {j.run.run_id for j in runs_of(diagnosis, sweep, [sweep.lr_star])} if sweep and sweep.lr_star else set()
    ordered = sorted(logged, key=lambda judged: judged.run.run_id not in best)
    return {judged.run.run_id: judged for judged in ordered}


def show_sizes(diagnosis: Diagnosis | None) -> None:
    """Shows the update sizes of every rule on the norms of a logged run."""
    st.subheader("Update sizes on a logged run", anchor=False)
    candidates = runs_with_norms(diagnosis)
    if not candidates:
        st.markdown("No gradient norm was logged in this study. Log it before clipping, at every step.")
        st.code(HOW_TO_LOG, language="python")
        return
    run = pick_run(diagnosis, candidates, "sizes_of").run
    sizes = replayed(key_of(diagnosis, "replay", run.run_id), run)
    st.markdown(say_replay(sizes))
    show_panels(
        lambda rule: show(
            remember(key_of(diagnosis, "sizes", rule, run.run_id), lambda: picture_of_sizes(sizes, rule)),
            f"sizes_{rule}",
        )
    )


@st.cache_resource(max_entries=8, show_spinner="Replaying the norms")
def replayed(key: tuple, _run) -> UpdateSizes:
    """Returns the update sizes of a run, replayed once."""
    return replay_update_sizes(_run)


def say_replay(sizes: UpdateSizes) -> str:
    """Says what was replayed, and what a log cannot hold."""
    said = (
        f"Each rule is given the {len(sizes.norm):,} logged norms, in order, as gradients of one number. A log holds "
        "no direction, so all have one sign: momentum adds up in full, as along a steady slope."
    )
    if sizes.num_not_finite:
        said += f" {sizes.num_not_finite:,} norms that are not finite are left out."
    if sizes.num_later:
        said += f" The {sizes.num_later:,} norms after the first {MOST_NORMS:,} are left out."
    return said


st.title("Update rules", anchor=False)
st.markdown(
    "The six rules as the playbook writes them. $g$ is the gradient at $\\theta_t$, $\\eta_t$ the learning rate of "
    "step $t$. Source: Deep Learning Tuning Playbook, FAQ, What are the update rules for all the popular optimization "
    "algorithms?"
)
rule = st.segmented_control(
    "Rule",
    list(UPDATE_RULES),
    default="momentum",
    required=True,
    format_func=TITLES.get,
    key="rule",
    bind="query-params",
)
show_rule(rule)
st.space("small")
show_differences()
st.space("small")
show_paths()
st.space("small")
show_sizes(studies.current())
