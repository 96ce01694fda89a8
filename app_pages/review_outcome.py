"""What came of a decision: the later run, or row of the ledger, that confirmed or refuted it."""

import streamlit as st

from analysis.lr_words import number
from analysis.runlog import RunLogError
from app_pages import callbacks, ledger, meeting, shown, studies, words
from app_pages.meeting import Meeting
from app_pages.pictures import names_of
from reviews import decisions
from reviews.models import PROOFS, Decision

RUN, LEDGER = PROOFS
OUTCOMES = {code: words.LEDGER_VERDICTS[code] for code in ("confirmed", "refuted")}


def show_outcome(seen: Meeting, made: Decision, is_last: bool) -> None:
    """Shows what a decision has been linked to, and takes that of the last one: on a closed review, too.

    Args:
        seen: The review.
        made: The decision.
        is_last: Whether it is the one that counts.
    """
    takes_link = is_last and meeting.has_role(seen.me, "reviewer")
    if made.outcome is None and not takes_link:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if made.outcome is not None:
            show_proof(seen, made)
        if takes_link:
            with st.popover("What came of it", icon=":material/link:", type="tertiary"):
                show_linking(seen, made)


def show_proof(seen: Meeting, made: Decision) -> None:
    """Shows the outcome, and leads to what shows it."""
    label, color, icon = OUTCOMES[made.outcome]
    st.badge(label, icon=icon, color=color)
    if made.proof_kind == LEDGER:
        said, page, query = f"by the row of the ledger of {made.proof[:10]}", "fixes", {}
    else:
        name = names_of(seen.now).get(made.proof, made.proof) if seen.now else made.proof
        said, page, query = f"by run {shown.name(name)}", "loss", {"run": name}
    query = {studies.KEY: seen.review.study, **query}
    st.page_link(f"app_pages/{page}.py", label=shown.sentence(said), icon=":material/link:", query_params=query)


def show_linking(seen: Meeting, made: Decision) -> None:
    """Takes what came of a decision."""
    if seen.now is None:
        st.markdown("Choose the study of this review above, to name the run that shows it.")
        return
    proofs = list_proofs(seen)
    st.segmented_control(
        "The decision was",
        list(OUTCOMES),
        format_func=lambda code: OUTCOMES[code][0],
        key=meeting.field("outcome", made.id),
        persist_state="page",
    )
    st.selectbox(
        "Shown by",
        list(proofs),
        index=None,
        format_func=lambda proof: proofs.get(proof, ""),
        placeholder="A run or a row of the ledger",
        key=meeting.field("proof", made.id),
        persist_state="page",
    )
    st.button("Link it", type="primary", key=f"link_{made.id}", on_click=link, args=(made.id, made.version))


def list_proofs(seen: Meeting) -> dict[str, str]:
    """Returns what can be named, "run:ID" or "ledger:TIME", in words: rows of the ledger, then runs, new ones first."""
    known = {judged.run.run_id for judged in seen.then.diagnosis.runs}
    runs = sorted(seen.now.runs, key=lambda judged: (judged.run.run_id in known, judged.run.run_id))
    names = names_of(seen.now)
    proofs = {}
    for judged in runs:
        lr, run_id = judged.run.base_lr, judged.run.run_id
        at = f", learning rate {number(lr)}" if lr is not None else ""
        since = "" if run_id in known else ", came since"
        proofs[f"{RUN}:{run_id}"] = f"Run {shown.name(names[run_id])}{at}{since}"
    try:
        rows = ledger.read_ledger(seen.now)
    except RunLogError:
        rows = ()  # the Fixes page says what is wrong with it
    told = {f"{LEDGER}:{row.written_at}": f"Ledger, {row.written_at[:10]}: {words.FIX_NAMES[row.fix]}" for row in rows}
    return told | proofs


@callbacks.uninterrupted()
def link(decision_id: str, version: int) -> None:
    """Stores the link; what was chosen stays until it is stored."""
    outcome, proof = (st.session_state.get(meeting.field(what, decision_id)) for what in ("outcome", "proof"))
    if not outcome or not proof:
        meeting.say("Nothing was linked. It needs an outcome and what shows it. Choose both.", is_good=False)
        return
    kind, _, name = proof.partition(":")
    if meeting.act(lambda store, me: decisions.link_outcome(store, me, decision_id, outcome, kind, name, version)):
        for what in ("outcome", "proof"):
            st.session_state.pop(meeting.field(what, decision_id), None)
        meeting.say("What came of the decision is stored.")
