"""The published JSON of a diagnosis: field names and values that other programs rely on."""

import dataclasses
import math
from collections.abc import Mapping

from analysis.results import Clipping, Diagnosis, LrSweep, RunDiagnosis

SCHEMA = "steadystep.diagnosis/1"


def publish(diagnosis: Diagnosis) -> dict:
    """Returns the diagnosis as plain JSON values; non-finite numbers become "NaN", "Infinity", "-Infinity"."""
    study = diagnosis.study
    return plain(
        {
            "schema": SCHEMA,
            "study": {
                "name": study.name,
                "num_runs": len(study),
                "sweeps": [publish_sweep(sweep) for sweep in diagnosis.sweeps],
            },
            "runs": [publish_run(judged) for judged in diagnosis.runs],
            "findings": [fields(finding) | {"docs": finding.docs} for finding in diagnosis.findings],
            "fixes": [fields(fix) for fix in diagnosis.fixes],
            "skipped": [fields(skipped) for skipped in study.skipped],
        }
    )


def publish_sweep(sweep: LrSweep) -> dict:
    """Returns one sweep; its marks stay inside, infeasible runs are named."""
    return {name: value for name, value in fields(sweep).items() if name != "runs"} | {
        "infeasible": sweep.infeasible,
        "headroom_decades": sweep.headroom_decades,
        "edge_noise": [fields(noise) for noise in sweep.edge_noise],
    }


def publish_run(judged: RunDiagnosis) -> dict:
    """Returns one run with its log's description."""
    run = judged.run
    return {
        "run_id": run.run_id,
        "name": run.name,
        "source": run.record.get("source"),
        "series": judged.series,
        "base_lr": run.base_lr,
        "num_steps": run.steps.num_rows,
        "log": fields(run.log),
        "verdict": judged.verdict,
        "early": judged.early,
        "events": [fields(event) for event in judged.events],
        "blips": judged.blips,
        "grad_norm": fields(judged.grad_norm),
        "clipping": publish_clipping(judged.clipping),
    }


def publish_clipping(clipping: Clipping | None) -> dict | None:
    """Returns what clipping did; the shares by phase stay inside."""
    if clipping is None:
        return None
    return fields(clipping) | {"clipped_fraction_by_phase": fields(clipping.clipped_fraction_by_phase)}


def fields(record) -> dict | None:
    """Returns the fields of a frozen record, None for None; nested records stay as they are."""
    if record is None:
        return None
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def plain(value):
    """Returns a value as strict JSON allows it."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
