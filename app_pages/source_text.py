"""The source text of a function, as pages show it: read from the code that runs, so that the two cannot differ."""

import ast
import inspect
import textwrap
from collections.abc import Callable


def code_of(function: Callable) -> str:
    """Returns the source text of a function without its docstring."""
    text = textwrap.dedent(inspect.getsource(function))
    lines, (definition,) = text.splitlines(), ast.parse(text).body
    first = definition.body[0]
    if ast.get_docstring(definition) is not None:
        after = lines[first.end_lineno :]
        while after and not after[0].strip():
            after = after[1:]
        lines = [*lines[: first.lineno - 1], *after]
    return "\n".join(lines)
