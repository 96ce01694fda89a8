"""Personal data in the records of foreign runs, which is not stored: e-mails, home folders, keys and tokens."""

import re
from collections.abc import Mapping
from dataclasses import replace

from analysis.runlog import schema
from analysis.runlog.study import Run

REMOVED = "(removed)"
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
HOME = re.compile(r"(?i)(?:\b[a-z]:)?[/\\](?:home|users)[/\\]+[^/\\\s'\",:]+|(?<![\w/])/root(?![\w.-])")
SECRET_WORD = r"(?:key|token|secret|passwd|password|credentials?)"
SECRET_NAME = re.compile(rf"(?i)(?:^|[^a-z0-9]|api){SECRET_WORD}$")
NUMBER = r"(?![\d.e+-]{1,12}(?:[\s'\",]|$))"  # a short one is a setting: attn_key=64
ASSIGNED = re.compile(
    rf"(?i)(\b(?:[a-z0-9_.-]{{0,64}}[_.-]|api)?{SECRET_WORD}['\"]?\s*[=:]\s*['\"]?){NUMBER}[^\s'\",]+"
    rf"|((?<![\w-])--?(?:[a-z0-9_-]{{0,64}}[_-]|api)?{SECRET_WORD}\s+['\"]?){NUMBER}[^\s'\",-][^\s'\",]*"
)
SECRETS = re.compile(  # as their issuers document them; a key without a prefix is only told by its name
    r"\bsk-[\w-]{16,}|\bhf_\w{16,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|\bxox[abeprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\bwandb_v1_\w{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?|(?<=://)[^/@\s]{1,256}@"
)


def scrub_run(run: Run) -> Run:
    """Returns the run without personal data in its record and notes; which fields lost some is noted.

    Numbers, names of metrics and the run_id stay as they are.
    """
    kept = {name: scrub(value, name) for name, value in run.record.items() if name != schema.RUN_ID}
    kept = {name: kept.get(name, value) for name, value in run.record.items()}
    lost = [name for name, value in run.record.items() if kept[name] != value]
    notes = [scrub_text(note) for note in run.log.notes]
    if lost:
        notes.append(f"personal data that was removed from the run record: {', '.join(lost)}")
    return replace(run, record=kept, log=replace(run.log, notes=tuple(notes)))


def scrub(value: object, name: str = "") -> object:
    """Returns a value of a record without personal data.

    >>> scrub({"api_key": "0123", "data": "/home/ann/c4", "num_tokens": 10})
    {'api_key': '(removed)', 'data': '~/c4', 'num_tokens': 10}
    """
    if isinstance(value, str):
        return REMOVED if value and SECRET_NAME.search(name) else scrub_text(value)
    if isinstance(value, Mapping):
        return {key: scrub(each, str(key)) for key, each in value.items()}
    return [scrub(each, name) for each in value] if isinstance(value, list | tuple) else value


def scrub_text(text: str) -> str:
    """Returns a text without personal data.

    >>> scrub_text("train.py --api-key 0123abcd --out C:/Users/Ann/runs  # ann@example.org")
    'train.py --api-key (removed) --out ~/runs  # (removed)'
    """
    text = SECRETS.sub(REMOVED, text)
    text = ASSIGNED.sub(lambda found: (found[1] or found[2]) + REMOVED, text)
    return HOME.sub("~", EMAIL.sub(REMOVED, text))
