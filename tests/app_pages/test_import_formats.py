"""The import page where a person says more than which file: as what to read it, by which pattern, from which server."""

import pytest

from analysis.runlog.readers import llm_c_txt, nanogpt_stdout
from analysis.runlog.wandb_address import BASE_URL, KEY
from app_pages import studies, uploads
from tests.app_pages.stores import text_of
from tests.app_pages.test_import_logs import falling_csv
from tests.runlog import wandb_stand_in
from tests.runlog.wandb_stand_in import LOSSES, rows_of, serve

PATTERN = r"at (?P<step>\d+): (?P<loss>\S+)"
OWN_TEXT = b"hello\n" + b"".join(b"at %d: %g\n" % (step, 2 - 0.01 * step) for step in range(40))
TWO_FORMATS = b"".join(
    b"iter %d: loss %g, time 9.1ms\ns:%d trl:%g lr:0.1 norm:1.5\n" % (step, 2 - 0.01 * step, step, 3 - 0.01 * step)
    for step in range(40)
)


def upload(open_app, files):
    app = open_app("steady", "import_logs")
    for name, content in files.items():
        app.file_uploader(key="files").upload(name, content)
    return app.run()


def read_runs(app):
    return {run.run_id: run for run in app.session_state[uploads.READ]["reading"].study}


def test_a_file_that_two_formats_recognise_is_read_as_the_one_that_was_chosen(open_app):
    app = upload(open_app, {"out.txt": TWO_FORMATS})
    assert "can be read as 'nanogpt stdout' or 'llm.c txt'" in app.error[0].value
    choice = app.selectbox(key="format of out.txt")
    assert choice.options == [nanogpt_stdout.NAME, llm_c_txt.NAME]
    choice.set_value(llm_c_txt.NAME).run()
    assert not app.exception
    assert not app.error
    assert read_runs(app)["out"].loss[1][0] == 3.0
    app.selectbox(key="format of out.txt").set_value(nanogpt_stdout.NAME).run()
    assert read_runs(app)["out"].loss[1][0] == 2.0


def test_a_file_that_no_format_recognises_is_read_by_a_pattern(open_app):
    app = upload(open_app, {"own.txt": OWN_TEXT})
    assert "is no run log" in app.error[0].value
    app.selectbox(key="format of own.txt").set_value("pattern text").run()
    assert not app.exception
    assert "is no run log" in app.error[0].value
    app.text_input(key="pattern of own.txt").set_value(PATTERN).run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key=studies.KEY).value.startswith(studies.UPLOAD_PREFIX)
    assert len(read_runs(app)["own"].steps) == 40
    app.text_input(key="pattern of own.txt").set_value(r"at (?P<step>\d+): (?P<mystery>\S+)").run()
    assert "has no loss column" in app.error[0].value
    app.selectbox(key="role train_loss of pattern text").set_value("mystery").run()
    assert not app.error


def test_one_pattern_reads_all_files_that_no_format_recognises_and_no_other(open_app):
    app = upload(open_app, {"a.txt": OWN_TEXT, "b.txt": OWN_TEXT, "c.csv": falling_csv()})
    assert set(read_runs(app)) == {"c"}
    app.selectbox(key="format of ").set_value("pattern text").run()
    app.text_input(key="pattern of ").set_value(PATTERN).run()
    assert not app.exception
    assert {run_id: len(run.steps) for run_id, run in read_runs(app).items()} == {"a": 40, "b": 40, "c": 40}
    assert sorted(app.dataframe[0].value["format"]) == ["csv", "pattern text", "pattern text"]
    app.selectbox(key="unread").set_value("b.txt").run()
    app.selectbox(key="format of b.txt").set_value("csv").run()
    assert set(read_runs(app)) == {"a", "c"}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?P<loss>(?:a+)+)$", "has no line that the pattern matches"),
        ("(?P<loss>[", "cannot be used"),
        ("no group", "has no group"),
        (r"(?P<loss>x)(?=y)", "cannot be used"),
        ("(?P<loss>((x{900}){900}){900})", "cannot be used"),
        (r"(?P<loss>\w+)", "'hello' as loss is not a number"),
        ("![x](http:evil.example)(?P<loss>", "cannot be used"),
    ],
)
def test_a_pattern_that_cannot_be_used_or_that_other_engines_choke_on_is_one_line(open_app, pattern, said):
    app = upload(open_app, {"own.txt": OWN_TEXT + b"a" * 200_000 + b"b\n"})
    app.selectbox(key="format of own.txt").set_value("pattern text").run()
    app.text_input(key="pattern of own.txt").set_value(pattern).run()
    assert not app.exception
    assert len(app.error) == 1
    assert said in app.error[0].value
    assert "\n" not in app.error[0].value
    assert "![" not in text_of(app).replace("\\!\\[", "")


def test_a_format_that_does_not_fit_is_one_line_and_can_be_changed(open_app):
    app = upload(open_app, {"own.txt": OWN_TEXT})
    app.selectbox(key="format of own.txt").set_value("deepobs json").run()
    assert "own.txt is no valid JSON" in app.error[0].value
    app.selectbox(key="format of own.txt").set_value(None).run()
    assert "is no run log" in app.error[0].value


def test_hidden_and_empty_files_are_not_asked_about(open_app):
    app = upload(open_app, {"a.csv": falling_csv(), "empty.txt": b"", ".hidden": OWN_TEXT})
    assert not [each for each in app.selectbox if (each.key or "").startswith("format of")]


def open_server(open_app, monkeypatch, server):
    monkeypatch.setenv(BASE_URL, server.url)
    monkeypatch.setenv(KEY, wandb_stand_in.KEY)
    return open_app("steady", "import_logs", give="W&B")


def test_the_runs_of_a_wandb_project_are_read_judged_and_read_again_when_asked(open_app, monkeypatch):
    with serve({"a1": rows_of(LOSSES), "b2": rows_of(LOSSES[:300]), "empty": []}) as server:
        app = open_server(open_app, monkeypatch, server)
        app.text_input(key="wandb").set_value("team/sweep").run()
        assert not app.exception
        assert {run_id: len(run.steps) for run_id, run in read_runs(app).items()} == {"a1": 1500, "b2": 300}
        assert "Open its findings" in [link.proto.label for link in app.get("page_link")]
        assert app.dataframe[0].value["file"].tolist()[0] == "empty"
        num_asked = len(server.asked)
        app.run()
        assert len(server.asked) == num_asked
        server.runs = {"a1": rows_of(LOSSES), "new": rows_of(LOSSES[:40])}
        next(each for each in app.button if each.label == "Read again").click().run()
        assert set(read_runs(app)) == {"a1", "new"}
    assert not app.exception


def test_a_wandb_address_that_names_nothing_is_one_line_without_the_key(open_app, monkeypatch):
    with serve({"a1": rows_of(LOSSES[:40])}) as server:
        app = open_server(open_app, monkeypatch, server)
        for text in ("team/sweep/nope", "https://evil.example/team/sweep", "![x](evil)"):
            app.text_input(key="wandb").set_value(text).run()
            assert not app.exception
            assert len(app.error) == 1
            assert wandb_stand_in.KEY not in text_of(app)
            assert "![" not in text_of(app).replace("\\!\\[", "")


def test_without_a_key_the_page_says_what_to_set_and_takes_none(open_app, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    app = open_app("steady", "import_logs", give="W&B")
    assert not app.exception
    assert [each.value for each in app.info] == [
        "Set WANDB_API_KEY in the environment of the dashboard and start it again. No page takes a key."
    ]
    assert not app.text_input
