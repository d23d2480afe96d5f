"""A shop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Store:
    """A shop. `code` is the API's locCode; `name` the canonical "Brand - Place"."""

    name: str
    code: str
    brand: str
    city: str
    is_active: bool
