"""The command line: python -m analysis diagnose | import | figures | report | formats."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime

from analysis.runlog import RunLogError

EXIT_FOUND, EXIT_UNUSABLE = 1, 2
GRADES = ("suspected", "unstable", "diverged")


def build_parser() -> argparse.ArgumentParser:
    """Builds the parser; every command has an example."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="Finds where training goes unstable, from run logs."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    diagnose = commands.add_parser(
        "diagnose", help="judge runs", epilog="example: python -m analysis diagnose runs/ --json --fail-on unstable"
    )
    diagnose.add_argument(
        "paths", nargs="+", metavar="PATH", help="log file, folder, study, or wandb:ENTITY/PROJECT[/RUN]"
    )
    diagnose.add_argument("--json", action="store_true", help="print the published JSON and nothing else")
    diagnose.add_argument("--fail-on", choices=GRADES, help="exit 1 when a run is at or above this grade")
    bring = commands.add_parser(
        "import",
        help="read logs into the store",
        epilog="example: python -m analysis import runs/ --study gpt-small --map train_loss=lm_loss",
    )
    bring.add_argument("paths", nargs="+", metavar="PATH")
    bring.add_argument("--study", required=True, help="study to write the runs to")
    for command in (diagnose, bring):
        command.add_argument("--store", help="folder or URL of the store (default: $STEADYSTEP_STORE, else ./studies)")
        command.add_argument("--map", nargs="+", default=[], metavar="NAME=COLUMN", help="which column holds what")
        way = command.add_mutually_exclusive_group()
        way.add_argument("--format", metavar="NAME", help="read all files so, one of `python -m analysis formats`")
        way.add_argument(
            "--pattern", metavar="REGEX", help=r"read text by groups, such as '(?P<step>\d+).*loss=(?P<train_loss>\S+)'"
        )
    add_figures(commands)
    add_report(commands)
    commands.add_parser(
        "formats", help="what can be read, and what each format loses", epilog="example: python -m analysis formats"
    )
    return parser


def add_figures(commands: argparse._SubParsersAction) -> None:
    """Adds the command that tells the playbook's figures."""
    figures = commands.add_parser(
        "figures",
        help="the playbook's figures from the runs of a study",
        epilog="example: python -m analysis figures demo -o figures/",
    )
    figures.add_argument("paths", nargs="+", metavar="STUDY", help="study, or log files as for diagnose")
    figures.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    figures.add_argument("-o", "--output", metavar="FOLDER", help="write one self-contained HTML page per figure")
    figures.add_argument("--store", help="folder or URL of the store (default: $STEADYSTEP_STORE, else ./studies)")


def add_report(commands: argparse._SubParsersAction) -> None:
    """Adds the command that writes a report."""
    report = commands.add_parser(
        "report",
        help="one self-contained HTML page of a study, or Markdown",
        epilog="example: python -m analysis report demo -o report.html",
    )
    report.add_argument("paths", nargs="+", metavar="STUDY", help="study, or log files as for diagnose")
    report.add_argument("-o", "--output", metavar="FILE", help="file to write (default: report.html)")
    report.add_argument(
        "--markdown", action="store_true", help="print Markdown for a pull request, or write it with -o"
    )
    report.add_argument(
        "--review", metavar="FILE", action="append", default=[], help="exported review, whose decisions join the report"
    )
    report.add_argument("--store", help="folder or URL of the store (default: $STEADYSTEP_STORE, else ./studies)")


def read_map(pairs: list[str]) -> dict[str, str]:
    """Reads NAME=COLUMN pairs."""
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise RunLogError(f"--map got {wrong[0]!r}. It needs NAME=COLUMN, for example train_loss=lm_loss")
    return dict(pair.split("=", 1) for pair in pairs)


def read_options(args: argparse.Namespace) -> dict[str, object]:
    """Returns how foreign files are to be read."""
    return {"column_map": read_map(args.map), "format_name": args.format, "pattern": args.pattern}


def run_diagnose(args: argparse.Namespace) -> int:
    """Judges the paths; prints JSON or text; returns the exit code."""
    from analysis.findings import diagnose
    from analysis.published import publish
    from analysis.runlog import read_paths
    from analysis.text_report import write_text

    study = read_paths(args.paths, store=args.store, **read_options(args))
    diagnosis = diagnose(study, on_run=show_progress if sys.stderr.isatty() else None)
    if args.json:
        json.dump(publish(diagnosis), sys.stdout, allow_nan=False)
        print()
    else:
        print(write_text(diagnosis))
    return EXIT_FOUND if args.fail_on and reaches(diagnosis, args.fail_on) else 0


def reaches(diagnosis, grade: str) -> bool:
    """Whether a run is at or above a grade: suspected < unstable < diverged."""
    events = [event for judged in diagnosis.runs for event in judged.events]
    unstable = any(judged.verdict == "unstable" for judged in diagnosis.runs)
    diverged = any(event.outcome == "diverged" and event.grade == "confirmed" for event in events)
    return {"suspected": bool(events) or unstable, "unstable": unstable, "diverged": diverged}[grade]


def show_progress(done: int, total: int) -> None:
    """Counts judged runs on standard error."""
    print(f"\r{done} of {total} runs judged", end="\n" if done == total else "", file=sys.stderr, flush=True)


def run_import(args: argparse.Namespace) -> int:
    """Reads the paths into the store and says what was left out."""
    from analysis.judge import keep_judged
    from analysis.runlog import import_runs

    study = import_runs(args.paths, args.study, store=args.store, **read_options(args))
    keep_judged(args.study, [run.run_id for run in study], args.store)
    for skipped in study.skipped:
        print(f"skipped {skipped.path}: {skipped.reason}", file=sys.stderr)
    print(f"{len(study)} runs written to study {args.study}. Next: python -m analysis diagnose {args.study}")
    return 0


def run_figures(args: argparse.Namespace) -> int:
    """Prints the figures of a study, and writes their pages where a folder is given."""
    from analysis.figure_report import publish_figures, write_pages, write_rows
    from analysis.figures import find_figures
    from analysis.findings import diagnose
    from analysis.runlog import read_paths

    diagnosis = diagnose(read_paths(args.paths, store=args.store))
    figures = find_figures(diagnosis)
    files = write_pages(diagnosis, figures, args.output) if args.output else {}
    if args.json:
        json.dump(publish_figures(diagnosis, figures, files), sys.stdout, allow_nan=False)
        print()
    else:
        print(write_rows(figures))
        for path in files.values():
            print(f"wrote {path}", file=sys.stderr)
    return 0


def run_report(args: argparse.Namespace) -> int:
    """Writes the report of a study to a file, or as Markdown to standard output."""
    from analysis.findings import diagnose
    from analysis.report import gather, read_review, write_html, write_markdown
    from analysis.runlog import read_paths

    reviews = [read_review(path) for path in args.review]
    report = gather(diagnose(read_paths(args.paths, store=args.store)), datetime.now(UTC), reviews)
    written = write_markdown(report) if args.markdown else write_html(report)
    if args.markdown and not args.output:
        print(written, end="")
        return 0
    path = args.output or "report.html"
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(written)
    except OSError as error:
        raise RunLogError(
            f"{path} cannot be written ({error.strerror}). -o needs a file in a folder that exists"
        ) from error
    print(f"wrote {path}", file=sys.stderr)
    return 0


def run_formats(args: argparse.Namespace) -> int:
    """Lists what can be read."""
    from analysis.runlog.readers import READERS

    for reader in READERS:
        print(f"{reader.NAME}: {reader.LOSES}")
    return 0


COMMANDS = {
    "diagnose": run_diagnose,
    "import": run_import,
    "figures": run_figures,
    "report": run_report,
    "formats": run_formats,
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command; bad input is one line on standard error and exit code 2."""
    args = build_parser().parse_args(argv)
    try:
        return COMMANDS[args.command](args)
    except RunLogError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
