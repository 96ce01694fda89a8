"""Files from outside are read by a process of their own: whatever they do, this one lives, and says which it was."""

import json
import os
import re
import resource
import socket
import subprocess
import sys
import textwrap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runlog import RunLogError, RunWriter, bounded_import, bounded_process, bounded_read, read_paths
from analysis.runlog.bounded_import import check_result, read_files, safe_parts
from tests.runlog import hostile
from tests.runlog.readers.samples import SAMPLES

GOOD = b"step,loss\n0,1.0\n1,0.5\n"
WAYS_OUT = ("../../x.csv", "/etc/x.csv", "..\\..\\x.csv", "a/../../x.csv", "C:\\x.csv", "a//./x.csv", "")
ODD_NAMES = ("a" * 500 + ".csv", "é" * 300 + ".csv", "x/" * 100 + "y.csv", "a\0b\n.csv", "\u202egnp.csv", "\ud800.csv")


def by_path(reading):
    return {outcome.path: outcome for outcome in reading.outcomes}


@pytest.fixture
def fake_reader(tmp_path, monkeypatch):
    """Puts other code in the place of the process that reads."""

    def put(code):
        path = tmp_path / "fake.py"
        opening = "import json, os, sys, time\nrequest = json.load(sys.stdin)\n"
        opening += "def tell(**answer):\n    print(json.dumps(answer), flush=True)\n"
        path.write_text(opening + textwrap.dedent(code))
        monkeypatch.setattr(bounded_read, "__file__", str(path))

    return put


START = "tell(num_files=2, is_offline=True)\nif request['first'] == 0:\n    tell(path='a.csv')\n"
END = """
tell(path="b.csv")
tell(kinds=["csv"], num_runs=0, reason="refused", columns=[], roles={}, skipped=[])
"""


def test_every_format_is_read_as_the_command_line_reads_it(tmp_path):
    files = [(f"{number}.txt", sample()) for number, sample in enumerate(SAMPLES.values())]
    done = []
    reading = read_files(files, on_file=lambda *progress: done.append(progress))
    for name, content in files:
        (tmp_path / name).write_bytes(content)
    expected = read_paths([tmp_path])
    assert [(run.record, run.log) for run in reading.study] == [(run.record, run.log) for run in expected]
    assert all(a.steps.equals(b.steps) for a, b in zip(reading.study, expected, strict=True))
    assert done[-1] == (len(files), len(files))


def test_a_run_folder_of_a_store_is_read_as_one_run(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="r", base_lr=0.1) as log:
        log.step(0, train_loss=1.0)
    files = [(str(path.relative_to(tmp_path)), path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()]
    reading = read_files(files)
    assert [(run.run_id, run.base_lr) for run in reading.study] == [("r", 0.1)]


def test_the_process_has_no_network_and_what_says_so_is_true():
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket, sys; from analysis.runlog import bounded_read as b; told = b.leave_network()\n"
            f"try: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5); out = False\n"
            "except OSError: out = True\n"
            "sys.exit(told != out)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import pickle; pickle.loads(pickle.dumps(print))",
    ],
)
def test_python_code_in_the_process_cannot_connect_start_or_unpickle_anything(attempt):
    code = f"import sys; from analysis.runlog import bounded_read as b; sys.addaudithook(b.forbid)\n{attempt}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is forbidden while files from outside are read" in done.stderr


def test_the_process_lives_in_an_empty_folder_with_limits_and_nothing_of_our_environment(monkeypatch, fake_reader):
    monkeypatch.setenv("SECRET_KEY", "0123")
    fake_reader(
        START
        + """
        reason = json.dumps([os.listdir("."), sorted(os.environ)])
        tell(kinds=[], num_runs=0, reason=reason, columns=[], roles={}, skipped=[])
        """.replace("        ", "")
        + END
    )
    folder, names = json.loads(by_path(read_files([("a.csv", GOOD), ("b.csv", GOOD)]))["a.csv"].reason)
    assert folder == []
    assert set(names) <= {"PYTHONPATH", "TMPDIR", "OMP_NUM_THREADS", "LC_ALL", "LC_CTYPE"}


def test_the_limits_are_in_force(tmp_path):
    code = (
        "import resource, sys; from analysis.runlog import bounded_read as b; b.limit_resources(); b.limit_seconds(0)\n"
        "kinds = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)\n"
        "print([resource.getrlimit(kind)[0] for kind in kinds])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    memory, size, files, seconds = json.loads(done.stdout)
    assert (memory, size, files) == (bounded_read.MEMORY_BYTES, bounded_read.RESULT_BYTES, bounded_read.OPEN_FILES)
    assert bounded_read.CPU_SECONDS < seconds < bounded_read.CPU_SECONDS + 5


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("os.kill(os.getpid(), 11)", r"a.csv broke its reader \(SIGSEGV\), and nothing of it was kept"),
        ("os.kill(os.getpid(), 24)", r"a.csv needs more than 20 s of processor time to read"),
        ("os._exit(3)", r"a.csv needs more than 2 GiB of memory to read"),
        ("raise KeyError", r"a.csv broke its reader \(exit 1\)"),
        ("print('x' * 3_000_000, flush=True)", "a.csv made its reader answer"),
        ("print('[' * 100_000, flush=True)", "a.csv made its reader answer nonsense"),
        ("tell(kinds=0)", "a.csv made its reader answer nonsense"),
        ("tell(kinds=[], num_runs=1, reason='', columns=[], roles={}, skipped=[])", "a.csv was read to nothing usable"),
        ("os.write(1, b'\\xff\\n')", "a.csv made its reader answer nonsense"),
    ],
)
def test_a_file_that_breaks_its_reader_is_named_and_the_next_is_read(fake_reader, fault, said):
    fake_reader(f"{START}    {fault}\n{END}")
    outcomes = read_files([("a.csv", GOOD), ("b.csv", GOOD)]).outcomes
    assert [outcome.path for outcome in outcomes] == ["a.csv", "b.csv"]
    assert re.match(said, outcomes[0].reason)
    assert outcomes[1].reason == "refused"


def test_a_reader_that_falls_silent_is_ended(fake_reader, monkeypatch):
    monkeypatch.setattr(bounded_process, "WALL_SECONDS", 0.5)
    fake_reader(f"{START}    time.sleep(1000)\n{END}")
    outcomes = read_files([("a.csv", GOOD), ("b.csv", GOOD)]).outcomes
    assert outcomes[0].reason == "a.csv takes longer than 0.5 s to read. Split it"
    assert outcomes[1].reason == "refused"


def test_a_reader_that_does_not_start_is_a_bug_and_loud(fake_reader):
    fake_reader("sys.exit(7)")
    with pytest.raises(RuntimeError, match="failed by itself"):
        read_files([("a.csv", GOOD)])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"step": pa.array([0]), "loss": pa.array(["a" * 100])}, "columns that are no numbers"),
        ({"loss": pa.array([1.0])}, "columns that are no numbers"),
        ({"step": pa.array([0.5]), "loss": pa.array([1.0])}, "columns that are no numbers"),
        ({"step": pa.array(range(100)), "loss": pa.array([1.0] * 100)}, "is too much: 200 values"),
    ],
)
def test_a_result_is_checked_before_it_is_read(tmp_path, table, said):
    pq.write_table(pa.table(table), tmp_path / "0-0.parquet")
    with pytest.raises(RunLogError, match=said):
        check_result(tmp_path / "0-0.parquet", "a.csv", most_cells=150)


@pytest.mark.parametrize("name", [*WAYS_OUT, *ODD_NAMES])
def test_no_name_leaves_the_folder(tmp_path, name):
    placed = tmp_path.joinpath(*safe_parts(name)).resolve()
    assert placed.is_relative_to(tmp_path)
    assert placed != tmp_path


def test_files_of_any_name_are_read():
    assert len(read_files([(name, GOOD) for name in (*WAYS_OUT, *ODD_NAMES)]).study) == len(WAYS_OUT) + len(ODD_NAMES)


def test_files_of_one_name_are_read_apart_and_hidden_ones_named():
    reading = read_files([("a.csv", GOOD), ("a.csv", GOOD), ("a.csv/b.csv", GOOD), (".git/c.csv", GOOD)])
    assert len(reading.study) == 3
    assert by_path(reading)[".git/c.csv"].reason.startswith("c.csv is hidden")


def test_too_many_and_too_large_files_are_refused(monkeypatch):
    monkeypatch.setattr(bounded_import, "MAX_FILES", 1)
    with pytest.raises(RunLogError, match=r"2 files were given \(at most 1\)"):
        read_files([("a.csv", GOOD)] * 2)
    monkeypatch.setattr(bounded_import, "MAX_BYTES", 10)
    with pytest.raises(RunLogError, match="MiB together"):
        read_files([("a.csv", GOOD)])


def test_nothing_is_left_behind(tmp_path, monkeypatch, fake_reader):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    read_files([("a.csv", GOOD), ("b.zip", b"PK\x03\x04")])
    fake_reader(f"{START}    open('junk', 'w').write('x'); os._exit(1)\n{END}")
    read_files([("a.csv", GOOD), ("b.csv", GOOD)])
    assert os.listdir(tmp_path / "t") == []


BOMBS = {
    "deep.json": (hostile.deep_json, "is no run log"),
    "deep_rows.jsonl": (hostile.deep_rows, "nested too deep"),
    "keys.jsonl": (hostile.many_keys, "30000 rows of 30002 metrics"),
    "line.csv": (hostile.long_line, "field larger than field limit"),
    "columns.csv": (hostile.many_columns, "200002 columns"),
    "bomb.jsonl.gz": (lambda: hostile.gzip_bomb(2**28, b"9"), "line 2 is longer than 1 MiB"),
    "bomb.parquet": (hostile.parquet_bomb, "failed"),
}


def test_bombs_do_no_harm_and_each_says_why_it_was_left_out(tmp_path):
    files = [(name, make()) for name, (make, _) in BOMBS.items()]
    files += [("evil.pkl", hostile.pickled(tmp_path / "owned")), ("good.csv", GOOD)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading = read_files(files)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 2**10
    reasons = {path: outcome.reason for path, outcome in by_path(reading).items()}
    assert [run.run_id for run in reading.study] == ["good"]
    assert [name for name, reason in reasons.items() if not reason] == ["good.csv"]
    assert all("\n" not in reason and len(reason) < 700 for reason in reasons.values())
    assert all(said in reasons[name] for name, (_, said) in BOMBS.items())
    assert "is no run log" in reasons["evil.pkl"]
    assert not (tmp_path / "owned").exists()
