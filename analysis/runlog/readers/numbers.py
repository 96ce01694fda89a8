"""What counts as a number in a foreign log."""


def to_number(value: object) -> float | None:
    """Returns a number or the text of one as float, None for anything else.

    >>> to_number("NaN"), to_number(3), to_number("a"), to_number(True)
    (nan, 3.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:  # an integer of more than 308 digits
        return float("inf") if value > 0 else float("-inf")
