"""Compare: runs or series at their best checkpoints; first whether they may be compared, then the numbers."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.comparison import Comparison, compare, compare_series, say
from analysis.focus import choose_control, choose_sweep, first_lrs, runs_of
from analysis.lr_words import number
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.schedule import read_schedule, say_warmup
from app_pages import selection, shown, words
from app_pages.chosen import diagnosis_or_stop
from app_pages.pictures import key_of, names_of, picture_of_loss, remember, show

SERIES, RUNS = "Series, each at its best", "Runs"
MOST_SIDES, MOST_RUNS = 5, 20  # ours: as many colors as tell lines apart; rows of a table that is read at a glance


def pick(diagnosis: Diagnosis, sweeps: dict[str, LrSweep]) -> tuple[list[LrSweep], list[RunDiagnosis]]:
    """Offers series and runs, and returns those that were picked; one of the two is empty."""
    names, chosen = names_of(diagnosis), selection.show_picked(diagnosis)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = [SERIES, RUNS] if len(sweeps) > 1 else [RUNS]
        first = kinds[-1] if len(chosen) > 1 else kinds[0]
        kind = st.segmented_control("Compare", kinds, default=first, required=True, key="by", bind="query-params")
        if kind == SERIES:
            picked = st.multiselect(
                "Series",
                list(sweeps),
                default=default_series(diagnosis, sweeps),
                format_func=shown.name,
                key="sides",
                bind="query-params",
                max_selections=MOST_SIDES,
            )
            return [sweeps[series] for series in picked], []
        picked = st.multiselect(
            "Runs",
            list(names),
            default=chosen[:MOST_RUNS] if len(chosen) > 1 else default_runs(diagnosis),
            format_func=lambda run_id: names.get(run_id, shown.name(run_id)),
            key="compared",
            bind="query-params",
            max_selections=MOST_RUNS,
        )
        return [], [judged for judged in diagnosis.runs if judged.run.run_id in picked]


def default_series(diagnosis: Diagnosis, sweeps: dict[str, LrSweep]) -> list[str]:
    """Returns the series of the headline and its control; the first two where it has none."""
    first = choose_sweep(diagnosis)
    control = choose_control(diagnosis, first)
    pair = [each.series for each in (first, control) if each is not None and each.series in sweeps]
    return pair if len(pair) == 2 else list(sweeps)[:2]


def default_runs(diagnosis: Diagnosis) -> list[str]:
    """Returns the runs at the best learning rate and at the next that matters."""
    sweep = choose_sweep(diagnosis)
    runs = runs_of(diagnosis, sweep, first_lrs(sweep)) if sweep is not None else diagnosis.runs[:2]
    return [judged.run.run_id for judged in runs[:MOST_RUNS]]


def teach() -> None:
    """Says what a fair comparison is, where there is nothing to compare yet."""
    st.markdown("Pick two series, or two runs at least. A fair comparison:")
    st.markdown(
        "- changes one thing; seeds are replicates, so pick all of them and read the means\n"
        "- gives each series its own best learning rate\n"
        "- puts warmup in front of training, not in its place\n"
        "- takes the best checkpoint of each run, out of equally many\n"
        "- never holds two batch sizes against each other before the learning rate is tuned for each"
    )
    st.page_link("app_pages/fixes.py", label="The next experiment changes one thing", icon=":material/build:")


def show_verdict(comparison: Comparison) -> None:
    """Shows whether the sides may be compared, and why not."""
    label, color, icon = words.COMPARABILITY[comparison.comparability.verdict]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(label, color=color, icon=icon)
        st.markdown(f"**{words.COMPARABILITY_SENTENCES[comparison.comparability.verdict]}**", width="content")
    for reason in comparison.reasons:
        st.markdown(shown.sentence(reason))


def show_differences(comparison: Comparison) -> None:
    """Shows one row per metaparameter that differs."""
    differences = comparison.comparability.differences
    if not differences:
        return
    columns = side_names(comparison)
    rows = {shown.name(name.replace("_", " ")): [shown.name(say(v)) for v in row] for name, row in differences.items()}
    st.subheader("What differs", anchor=False)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    st.table(table.rename(columns=shown.sentence, index=shown.sentence), border="horizontal")


def side_names(comparison: Comparison) -> list[str]:
    """Returns the names of the sides, told apart although they are cut."""
    return [f"{index}: {shown.name(side.label)}" for index, side in enumerate(comparison.sides, 1)]


def table_of_checkpoints(
    comparison: Comparison, judged: dict[str, RunDiagnosis], names: dict[str, str]
) -> pd.DataFrame:
    """Returns one row per run: its best checkpoint, out of how many, and its schedule."""
    rows = []
    for name, side in zip(side_names(comparison), comparison.sides, strict=True):
        checkpoints = {checkpoint.run_id: checkpoint for checkpoint in side.checkpoints}
        for run_id in side.run_ids:
            run, best = judged[run_id].run, checkpoints.get(run_id)
            rows.append(
                {
                    "side": name,
                    "seed": run.record.get(schema.SEED),
                    "best at step": best.step if best else None,
                    "validation loss there": say_loss(best.eval_loss) if best else "not evaluated",
                    "last validation loss": say_loss(best.final_loss) if best else "not evaluated",
                    "evaluations": f"{best.num_considered:,} of {best.num_evaluations:,}" if best else "none",
                    "warmup steps": say_warmup(read_schedule(run)),
                    "run": names[run_id],
                    "learning rate": "unknown" if run.base_lr is None else number(run.base_lr),
                }
            )
    return pd.DataFrame(rows)


def say_loss(loss: float) -> str:
    """Returns a loss in three digits."""
    return number(loss) if abs(loss) < float("inf") else "not finite"


def show_losses(runs: Sequence[RunDiagnosis]) -> None:
    """Shows the training losses over each other, from start to end."""
    end = max((int(judged.run.loss[0][-1]) for judged in runs if len(judged.run.loss[0])), default=1)
    key = key_of(diagnosis, "compared", *(judged.run.run_id for judged in runs))
    show(remember(key, lambda: picture_of_loss(runs, None, (0, end), height=380)), "compared_losses")


diagnosis = diagnosis_or_stop()
st.title("Compare", anchor=False)
sweeps = {sweep.series: sweep for sweep in diagnosis.sweeps if sweep.lr_star is not None}
picked_sweeps, picked_runs = pick(diagnosis, sweeps)
if len(picked_sweeps) < 2 and len(picked_runs) < 2:
    teach()
    st.stop()
comparison = compare_series(diagnosis, picked_sweeps) if picked_sweeps else compare(picked_runs)
judged = {judged.run.run_id: judged for judged in diagnosis.runs}
show_verdict(comparison)
show_differences(comparison)
st.subheader("At the best checkpoints", anchor=False)
st.markdown(shown.sentence(comparison.sentence))
st.dataframe(
    table_of_checkpoints(comparison, judged, names_of(diagnosis)),
    hide_index=True,
    placeholder="unknown",
    alt="Best checkpoint and warmup of every compared run",
)
st.space("small")
show_losses([judged[run_id] for side in comparison.sides for run_id in side.run_ids])
