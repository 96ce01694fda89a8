import itertools

import pytest

from analysis.runlog import RunLogError
from runners.command_line import make_parser, read_base_lrs, read_variants, read_warmup_steps, run_command


def test_base_lrs_are_log_spaced_with_their_ends_exact():
    rates = read_base_lrs("0.003:0.3:5")
    assert (rates[0], rates[-1]) == (0.003, 0.3)
    assert [high / low for low, high in itertools.pairwise(rates)] == pytest.approx([10**0.5] * 4, rel=1e-5)


def test_a_list_of_base_lrs_is_sorted_and_holds_each_once():
    assert read_base_lrs("0.1,0.01,1e-1") == (0.01, 0.1)


@pytest.mark.parametrize(
    "text", ["", "a", "1:2", "1:0.1:3", "0:1:3", "0.1:1:1", "0.1:inf:3", "0.1,,1", "-1", "nan", "0.1:1:2.5"]
)
def test_what_is_no_base_lr_is_refused(text):
    with pytest.raises(RunLogError, match="--base-lr"):
        read_base_lrs(text)


def test_warmup_lengths_are_whole_numbers():
    assert read_warmup_steps("100,10,10") == (10, 100)
    for text in ("0", "-5", "1.5", "", "10,"):
        with pytest.raises(RunLogError, match="--warmup-steps"):
            read_warmup_steps(text)


def test_variants_gather_the_values_of_each_key():
    assert read_variants(["stride=1x1", "stride=2x2,1x1", "batch_size=32"]) == {
        "stride": ["1x1", "2x2"],
        "batch_size": ["32"],
    }
    for text in ("stride", "=1x1", "stride=", "stride=1x1,"):
        with pytest.raises(RunLogError, match="is not K=V"):
            read_variants([text])


def test_a_bad_argument_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit) as caught:
        make_parser("runners.probe", "Probes.", "").parse_args(["--nonsense"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "python -m runners.probe: unrecognized arguments: --nonsense. See python -m runners.probe --help\n"
    )


def test_bad_input_is_one_line_and_exit_code_2_and_an_interrupt_names_resume(capsys):
    def refuse():
        raise RunLogError("found this. Do that")

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run_command(refuse)
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: found this. Do that\n"
    with pytest.raises(SystemExit) as caught:
        run_command(interrupt)
    assert caught.value.code == 130
    assert "--resume" in capsys.readouterr().err
