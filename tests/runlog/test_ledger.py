"""Where the ledger lies."""

import pytest

from analysis.runlog import RunLogError, ledger


def test_entries_come_back_in_the_order_they_were_written_with_their_time(tmp_path):
    for number in range(3):
        ledger.add_entry("s", {"number": number}, tmp_path)
    entries = ledger.read_entries("s", tmp_path)
    assert [entry["number"] for entry in entries] == [0, 1, 2]
    assert all(entry[ledger.WRITTEN_AT].endswith("+00:00") for entry in entries)
    assert ledger.read_entries("other", tmp_path) == ()


def test_a_damaged_entry_is_named_and_not_read(tmp_path):
    ledger.add_entry("s", {"number": 1}, tmp_path)
    (path,) = (tmp_path / "s" / ledger.FOLDER).iterdir()
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(RunLogError, match=f"{path.name} is damaged"):
        ledger.read_entries("s", tmp_path)
