"""Personal data in foreign run records is not stored, and what is no personal data is."""

import json

import pytest

from analysis.runlog import import_runs, read_study
from analysis.runlog.scrub import scrub, scrub_run, scrub_text
from tests.app_pages.stores import write_file
from tests.studies import make_run

SECRETS = (
    "ann.lee+x@mail.example.org",
    "/home/annlee/x",
    "/Users/annlee",
    "C:\\Users\\annlee\\x",
    "D:/Users/annlee/x",
    "sk-annlee0123456789abcdef",
    "hf_annlee0123456789abcdef",
    "ghp_annlee0123456789abcdef",
    "AKIAANNLEE0123456789",
    "eyJannlee0123.eyJannlee0123.annlee",
    "https://annlee:annlee@host/x",
    "--api-key annlee0123",
    "--hf_token=annlee0123",
    "WANDB_API_KEY=annlee0123",
    "password: annlee0123",
    '{"secret": "annlee0123"}',
    "-----BEGIN RSA PRIVATE KEY-----\nannlee\n-----END RSA PRIVATE KEY-----",
)
HARMLESS = (
    "python train.py --lr 3e-4 --num-tokens 1000 --tokenizer gpt2 --key-size 64",
    "attn_key=64, max_token: 2048",
    "/data/c4/train.bin",
    "runners.lr_sweep --store ~/studies --variant stride=1x1",
    "keyword arguments of the monkey: none",
    "nan at step 7 @ lr 0.1",
    "2026-11-24T10:00:00+00:00",
    "01JDF5X9Y3ZQ",
)


@pytest.mark.parametrize("text", SECRETS)
def test_no_person_or_key_is_left_in_a_text(text):
    for whole in (text, f"before {text} after", f"x='{text}',"):
        assert "annlee" not in scrub_text(whole).lower()
        assert "ann.lee" not in scrub_text(whole)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_personal_data_stays(text):
    assert scrub_text(text) == text


def test_values_under_names_of_secrets_are_removed_at_any_depth_but_numbers_stay():
    record = {"api_key": "0123", "a": {"b": [{"hf_token": "x y"}]}, "num_tokens": 7, "key": 64, "monkey": "ape"}
    removed = "(removed)"
    assert scrub(record) == record | {"api_key": removed, "a": {"b": [{"hf_token": removed}]}}


def test_a_long_text_takes_no_long_time():
    assert scrub_text("a@" * 200_000 + "/home" * 50_000 + "api_" * 100_000).startswith("a@")


def test_an_import_stores_none_of_it_and_notes_what_was_removed(tmp_path):
    content = "".join(json.dumps({"step": step, "loss": 1.0}) + "\n" for step in range(3))
    (tmp_path / "a.jsonl").write_text(content)
    import_runs([tmp_path / "a.jsonl"], "clean", store=tmp_path / "store")
    (run,) = read_study("clean", tmp_path / "store")
    assert not any("personal data" in note for note in run.log.notes)
    secrets = {f"field_{number}": text for number, text in enumerate(SECRETS)}
    run = scrub_run(make_run([1.0, 2.0], command="train.py --data /home/annlee/c4", base_lr=0.1, extra=secrets))
    assert "annlee" not in json.dumps([dict(run.record), run.log.notes]).lower()
    assert run.record["command"] == "train.py --data ~/c4"
    assert run.log.notes[-1] == "personal data that was removed from the run record: command, extra"


def test_the_files_of_an_imported_parquet_run_hold_no_personal_data(tmp_path):

    path = write_file(
        make_run([1.0, 2.0], base_lr=0.1, notes=list(SECRETS), name="run of ann.lee@example.org"), tmp_path
    )
    import_runs([path], "s", store=tmp_path / "store")
    stored = [file.read_bytes().lower() for file in (tmp_path / "store").rglob("*") if file.is_file()]
    assert len(stored) == 2
    assert not any(word in content for content in stored for word in (b"annlee", b"ann.lee"))
