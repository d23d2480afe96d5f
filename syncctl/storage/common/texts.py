"""Values that should be text, whoever stored them."""

from typing import Any


def to_text(value: Any) -> str:
    """An id, or another scalar that should be text, as text: a number without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
