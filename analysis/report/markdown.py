"""A report as Markdown, to paste into a pull request: verdict, findings, fixes, decisions, captions."""

import re
from collections.abc import Iterable

from analysis import words
from analysis.inert import inert
from analysis.literal import literal, name
from analysis.report.contents import Report
from analysis.report.tables import Table, table_of_decisions
from analysis.results import Fix


def write_markdown(report: Report) -> str:
    """Writes the report.

    Args:
        report: What it tells.

    Returns:
        Markdown in which text from logs and reviews is text only.
    """
    diagnosis = report.diagnosis
    lines = [f"## {inert(report.headline.title)}", "", inert(report.headline.evidence), ""]
    count = f"{len(diagnosis.runs)} run{'s' * (len(diagnosis.runs) != 1)}"
    lines += [f"Study {inert(name(diagnosis.study.name))}, {count}, {inert(report.made_on)}.", ""]
    if diagnosis.next_fix is not None:
        fix = diagnosis.next_fix
        lines += [f"**Next experiment: {words.FIX_NAMES[fix.fix].lower()}.** {inert(fix.sentence)}", ""]
        lines += [*fence(fix.command), ""]
    lines += ["### What was checked", "", *write_table(findings_of(report)), ""]
    lines += ["### Fixes", "", *(map(tell_fix, diagnosis.fixes) if diagnosis.fixes else ["Nothing to fix."]), ""]
    lines += ["### Decisions", ""] if report.reviews else []
    for review in report.reviews:
        lines += [inert(f"{review.heading}."), "", *write_table(table_of_decisions(review)), ""]
    captions = [f"* **Figure {each.number}, {each.title.lower()}.** {inert(each.caption)}" for each in applying(report)]
    lines += ["### Figures", "", *(captions or ["None from these runs yet."]), ""]
    lines.append(f"Fingerprint of the study {inert(diagnosis.study.fingerprint)}; Steadystep, {inert(report.program)}.")
    return "\n".join(lines) + "\n"


def applying(report: Report) -> list:
    """Returns the figures that apply."""
    return [figure for figure in report.figures if figure.applies]


def findings_of(report: Report) -> Table:
    """Returns one row per check."""
    found = report.diagnosis.findings
    rows = tuple((words.OUTCOMES[each.outcome], words.check_name(each.code), each.sentence) for each in found)
    return Table(("outcome", "check", "answer"), rows)


def tell_fix(fix: Fix) -> str:
    """Says what a fix is, where it stands and what must be seen."""
    state = words.FIX_STATES[fix.state].lower()
    return (
        f"{fix.rank}. **{words.FIX_NAMES[fix.fix]}** ({state}). {inert(fix.sentence)} "
        f"Fixed when: {inert(fix.fixed_when)}"
    )


def write_table(table: Table) -> Iterable[str]:
    """Returns a table, line by line."""
    yield f"| {' | '.join(table.head)} |"
    yield f"|{' --- |' * len(table.head)}"
    for row in table.rows:
        yield f"| {' | '.join(map(inert, row))} |"


def fence(command: str) -> list[str]:
    """Returns a command as a block of code that no backtick in it can end."""
    shown = literal(command)
    longest = max(map(len, re.findall("`+", shown)), default=0)
    marks = "`" * max(3, longest + 1)
    return [f"{marks}bash", shown, marks]
