"""The diagnosis as text, for a terminal: verdict, evidence, next experiment, what was checked."""

from analysis.headline import write_headline
from analysis.results import Diagnosis

STATE = {"found": "found      ", "clear": "clear      ", "not-checked": "not checked"}
SHOWN_RUNS = 20


def write_text(diagnosis: Diagnosis) -> str:
    """Writes the report; its first line is the verdict."""
    headline = write_headline(diagnosis)
    lines = [headline.title, headline.evidence, ""]
    if diagnosis.next_fix:
        first = diagnosis.next_fix
        lines += [
            f"Next experiment ({first.fix}): {first.sentence}",
            f"  {first.command}",
            f"  Fixed when: {first.fixed_when}",
        ]
        others = [f"{fix.fix} ({fix.state})" for fix in diagnosis.fixes if fix is not first]
        lines += [f"Others: {', '.join(others)}"] if others else []
        lines.append("")
    lines += [f"{STATE[finding.outcome]}  {finding.code}: {finding.sentence}" for finding in diagnosis.findings]
    unstable = [judged for judged in diagnosis.runs if judged.verdict == "unstable"]
    if unstable:
        lines += ["", "Unstable runs:"]
        for judged in unstable[:SHOWN_RUNS]:
            events = "; ".join(
                f"{event.kind} at step {event.onset_step:,}, {event.outcome}" for event in judged.confirmed
            )
            lines.append(f"  {judged.run.name}  {events}")
        lines += [f"  and {len(unstable) - SHOWN_RUNS} more"] if len(unstable) > SHOWN_RUNS else []
    for skipped in diagnosis.study.skipped[:SHOWN_RUNS]:
        lines.append(f"skipped {skipped.path}: {skipped.reason}")
    return "\n".join(lines)
