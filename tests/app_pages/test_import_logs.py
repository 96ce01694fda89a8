"""The import page: files in, a verdict out, and nothing stored that was not asked for."""

import pytest

from analysis.runlog import RunWriter, list_studies, read_study
from app_pages import shown, studies, uploads
from tests.app_pages.stores import headline_of, text_of, write_csv, write_file
from tests.studies import sweep_run


@pytest.fixture
def own_store(monkeypatch, tmp_path):
    """A store for tests that write, with one study of one run; the page must open on it."""
    store = tmp_path / "studies"
    with RunWriter("there", store=store, run_id="first", base_lr=0.1) as log:
        for step in range(30):
            log.step(step, train_loss=2.0 - 0.01 * step)
    return store


def open_import(open_app, monkeypatch, store, files):
    app = open_app("there", "import_logs")
    monkeypatch.setenv("STEADYSTEP_STORE", str(store))
    for name, content in files.items():
        app.file_uploader(key="files").upload(name, content)
    return app.run()


def falling_csv(loss="loss"):
    return f"step,{loss},lr\n".encode() + b"".join(b"%d,%g,0.1\n" % (step, 2 - 0.01 * step) for step in range(40))


def offer(monkeypatch, name):
    """Offers a study that is not there yet, for in these tests, other than in a browser, nobody can type a name."""
    stored = studies.list_stored
    monkeypatch.setattr(studies, "list_stored", lambda: [*stored(), studies.Choice(name, name)])


def button(app, label):
    return next(each for each in app.button if each.label == label)


def test_a_csv_of_a_run_is_judged_at_once_and_stays_selectable(open_app, tmp_path):
    run = sweep_run(0.3, 0, edge=0.3)
    content = write_csv(run, tmp_path / "my_run.csv").read_bytes()
    app = open_app("steady", "import_logs")
    app.file_uploader(key="files").upload("my_run.csv", content).run()
    assert not app.exception
    assert app.subheader[0].value == shown.sentence(headline_of([run]))
    assert app.selectbox(key=studies.KEY).value.startswith(studies.UPLOAD_PREFIX)
    app.selectbox(key=studies.KEY).set_value("steady").run()
    assert not app.exception


def test_parquet_files_of_a_sweep_become_one_study(open_app, tmp_path):
    app = open_app("steady", "import_logs")
    uploader = app.file_uploader(key="files")
    for base_lr in (0.01, 0.03, 0.1, 0.3, 1.0):
        path = write_file(sweep_run(base_lr, 0, edge=0.3), tmp_path)
        uploader.upload(path.name, path.read_bytes())
    app.run()
    assert not app.exception
    assert app.subheader[0].value.startswith("Above learning rate 0.1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.csv", b"step,train_loss\n0,1.0\n1,what\n"),
        ("no_step.csv", b"epoch,loss_value\n1,2\n"),
        ("empty.csv", b""),
        ("cut.parquet", b"PAR1 and then nothing"),
        ("../../etc/sneaky.csv", b"\x00\xff\x00"),
    ],
)
def test_a_broken_file_gives_one_clear_line_with_its_name_and_no_traceback(open_app, name, content):
    app = open_app("steady", "import_logs")
    app.file_uploader(key="files").upload(name, content).run()
    assert not app.exception
    assert len(app.error) == 1
    message = app.error[0].value
    assert "\n" not in message
    assert name.rsplit("/", 1)[-1].replace("_", "\\_") in message
    assert "/tmp" not in message


def test_one_broken_file_among_others_is_named_and_the_others_are_read(open_app, tmp_path):
    app = open_app("steady", "import_logs")
    uploader = app.file_uploader(key="files")
    for base_lr in (0.01, 0.03, 0.1, 0.3, 1.0):
        path = write_file(sweep_run(base_lr, 0, edge=0.3), tmp_path)
        uploader.upload(path.name, path.read_bytes())
    uploader.upload("broken.csv", b"step,train_loss\n0,1.0\n1,what\n")
    app.run()
    assert not app.exception
    assert app.subheader[0].value.startswith("Above learning rate 0.1")
    files = app.dataframe[0].value
    assert files["file"].tolist()[0] == "broken.csv"
    assert "line 3: 'what' in column train_loss is not a number" in files["outcome"].tolist()[0]
    assert files["outcome"].tolist()[1:] == ["read"] * 5


def test_nothing_is_stored_before_it_is_asked_for_and_undo_takes_back_just_that(open_app, monkeypatch, own_store):
    app = open_import(open_app, monkeypatch, own_store, {"a.csv": falling_csv(), "b.csv": falling_csv()})
    assert not app.exception
    assert [entry.name for entry in list_studies(own_store)] == ["there"]
    assert button(app, "Keep").disabled
    app.selectbox(key="into").set_value("there").run()
    button(app, "Keep").click().run()
    assert not app.exception
    assert app.success[0].value == "2 runs written to study there."
    assert app.selectbox(key=studies.KEY).value == "there"
    assert [run.run_id for run in read_study("there", own_store)] == ["a", "b", "first"]
    button(app, "Undo").click().run()
    assert not app.exception
    assert [run.run_id for run in read_study("there", own_store)] == ["first"]
    assert app.selectbox(key=studies.KEY).value.startswith(studies.UPLOAD_PREFIX)


def test_a_new_study_is_made_by_its_name_and_gone_after_undo(open_app, monkeypatch, own_store):
    offer(monkeypatch, "new one")
    app = open_import(open_app, monkeypatch, own_store, {"a.csv": falling_csv()})
    app.selectbox(key="into").set_value("new one").run()
    button(app, "Keep").click().run()
    assert app.selectbox(key=studies.KEY).value == "new one"
    button(app, "Undo").click().run()
    assert [entry.name for entry in list_studies(own_store)] == ["there"]
    assert not (own_store / "new one").exists()


def test_a_name_that_cannot_be_a_folder_is_one_line(open_app, monkeypatch, own_store):
    offer(monkeypatch, "../x")
    app = open_import(open_app, monkeypatch, own_store, {"a.csv": falling_csv()})
    app.selectbox(key="into").set_value("../x").run()
    button(app, "Keep").click().run()
    assert not app.exception
    assert "Choose another name" in app.error[0].value


def test_a_column_is_given_its_role_and_that_holds_for_the_next_files_of_the_format(open_app, monkeypatch, own_store):
    app = open_import(open_app, monkeypatch, own_store, {"a.csv": falling_csv("mystery")})
    assert "has no loss column" in app.error[0].value
    app.selectbox(key="role train_loss of csv").set_value("mystery").run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key=studies.KEY).value.startswith(studies.UPLOAD_PREFIX)
    app.file_uploader(key="files").upload("b.csv", falling_csv("mystery")).run()
    assert not app.error
    assert [run.run_id for run in app.session_state[uploads.READ]["reading"].study][-1] == "b"
    app.selectbox(key="role train_loss of csv").set_value(None).run()
    assert "has no loss column" in app.error[0].value


def test_the_reader_s_choice_of_columns_is_shown(open_app, monkeypatch, own_store):
    app = open_import(open_app, monkeypatch, own_store, {"a.csv": falling_csv()})
    placeholders = {each.label: each.proto.placeholder for each in app.selectbox if "role" in (each.key or "")}
    assert placeholders == {
        "step": "step",
        "train loss": "loss",
        "eval loss": "not found",
        "grad norm": "not found",
        "lr": "lr",
    }


def test_a_folder_of_files_with_one_name_gives_runs_of_their_folders(open_app):
    app = open_app("steady", "import_logs", give="A folder")
    for rate in ("lr1", "lr2"):
        app.file_uploader(key="folder").upload(f"sweep/{rate}/metrics.csv", falling_csv())
    app.run()
    assert not app.exception
    assert app.dataframe[0].value["file"].tolist() == ["sweep/lr1/metrics.csv", "sweep/lr2/metrics.csv"]
    reading = app.session_state[uploads.READ]["reading"]
    assert {run.name for run in reading.study} == {"lr1/metrics", "lr2/metrics"}


def test_what_was_read_is_forgotten_with_its_files(open_app):
    app = open_app("steady", "import_logs")
    app.file_uploader(key="files").upload("a.csv", falling_csv()).run()
    assert "Open its findings" in [link.proto.label for link in app.get("page_link")]
    app.file_uploader(key="files").clear().run()
    assert not app.exception
    assert "Open its findings" not in [link.proto.label for link in app.get("page_link")]


def test_hostile_names_of_files_and_columns_are_shown_letter_by_letter(open_app):
    app = open_app("steady", "import_logs")
    name = "![x](http:evil.example)*b*.csv"
    app.file_uploader(key="files").upload(name, falling_csv("loss,![x](evil)").replace(b",0.1", b",1,0.1"))
    app.file_uploader(key="files").upload("b.csv", falling_csv("<img src=x>")).run()
    assert not app.exception
    assert "![" not in text_of(app).replace("\\!\\[", "")
