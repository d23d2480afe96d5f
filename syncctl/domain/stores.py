"""The shops that leads are for."""

from __future__ import annotations

from typing import NamedTuple


class Store(NamedTuple):
    """A shop as the `stores` collection has it."""

    name: str
    """The canonical "Brand - Place"."""

    code: str
    """The API's locCode."""

    brand: str
    city: str
    is_active: bool
