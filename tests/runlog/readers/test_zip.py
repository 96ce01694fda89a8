"""Zip archives: read like a folder, within bounds, and nothing outside the private folder is ever written."""

import io
import random
import zipfile

import pytest

from analysis.runlog import RunLogError, RunWriter, read_paths, schema, sealing
from analysis.runlog.paths import read_file
from analysis.runlog.readers import zip_archive
from tests.runlog.readers import table_samples, text_samples


def pack(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_members_are_read_whatever_their_format(tmp_path):
    members = {
        "x/a.csv": table_samples.timm(),
        "y/a.csv": table_samples.keras(),
        "b.log": text_samples.llm_c(),
        "notes.txt": b"hello",
    }
    study = read_paths([pack(tmp_path / "sweep.zip", **members)])
    assert [run.run_id for run in study] == ["sweep/a", "sweep/b", "sweep/y/a"]
    assert {run.record[schema.SOURCE] for run in study} == {"timm csv: a.csv", "keras csv: a.csv", "llm.c txt: b.log"}
    assert all("members of sweep.zip that are no run log: notes.txt" in run.log.notes for run in study)


def test_a_study_of_the_store_comes_back_whole(tmp_path):
    for seed in range(2):
        with RunWriter("gpt", store=tmp_path, run_id=f"r{seed}", base_lr=0.1, seed=seed) as log:
            log.step(0, train_loss=1.0)
            log.step(1, train_loss=float("nan"))
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    packed = read_paths([pack(tmp_path / "gpt.zip", **files)])
    plain = read_paths([tmp_path / "gpt"])
    assert [run.run_id for run in packed] == ["gpt/r0", "gpt/r1"]
    assert [sealing.checksum(run.steps) for run in packed] == [sealing.checksum(run.steps) for run in plain]
    assert [run.record[schema.SEED] for run in packed] == [0, 1]


def test_an_archive_in_a_folder_is_read_beside_its_files(tmp_path):
    pack(tmp_path / "a.zip", **{"a.csv": table_samples.timm()})
    (tmp_path / "b.csv").write_bytes(table_samples.timm())
    assert [run.run_id for run in read_paths([tmp_path])] == ["a/a", "b"]


@pytest.mark.parametrize("name", ["../evil.csv", "/tmp/evil.csv", "x/../../evil.csv", "..\\evil.csv"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, name):
    path = pack(tmp_path / "a.zip", **{"good.csv": table_samples.timm(), name: table_samples.timm()})
    with pytest.raises(RunLogError, match=r"has a member outside itself"):
        read_paths([path])
    assert [file.name for file in tmp_path.rglob("*")] == ["a.zip"]


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_archive, "MAX_UNPACKED", 10_000)
    path = pack(tmp_path / "a.zip", **{"a.csv": table_samples.timm(), "b.csv": bytes(20_000)})
    assert path.stat().st_size < 2000
    with pytest.raises(RunLogError, match=r"a.zip unpacks to more than"):
        read_paths([path])


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_archive, "MAX_MEMBERS", 2)
    with pytest.raises(RunLogError, match=r"a.zip has 3 members \(at most 2\)"):
        read_paths([pack(tmp_path / "a.zip", a=b"", b=b"", c=b"")])


def test_an_archive_within_an_archive_is_not_opened(tmp_path):
    inner = io.BytesIO()
    pack(inner, **{"a.csv": table_samples.timm()})
    with pytest.raises(RunLogError, match=r"inner.zip is an archive within an archive. Unpack it yourself"):
        read_paths([pack(tmp_path / "a.zip", **{"inner.zip": inner.getvalue()})])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_archives_are_read_or_refused_in_one_line(tmp_path, method):
    path, chance = tmp_path / "a.zip", random.Random(method)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("x/a.csv", "b.csv"):
            archive.writestr(name, table_samples.timm())
    whole, refusals = path.read_bytes(), []
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(3):
            content[chance.randrange(4, len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            assert read_file(path)
        except RunLogError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in refusal for refusal in refusals)


def test_damaged_and_encrypted_archives_are_refused(tmp_path):
    path = pack(tmp_path / "a.zip", **{"a.csv": table_samples.timm()})
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(RunLogError, match=r"a.zip cannot be unpacked"):
        read_paths([path])
    damaged = bytearray(whole)
    damaged[80] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(RunLogError, match=r"a.zip cannot be unpacked"):
        read_paths([path])
    at = whole.index(b"PK\x01\x02") + 8
    path.write_bytes(whole[:at] + b"\1" + whole[at + 1 :])
    with pytest.raises(RunLogError, match=r"a.zip is encrypted"):
        read_paths([path])
