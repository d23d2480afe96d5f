"""Stores as documents and back; which of them are new, and the id that a new one gets."""

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import blake2b

from syncctl.domain.lead_values import Document
from syncctl.domain.stores import Store
from syncctl.text import to_text


def store_id(name: str) -> str:
    """The `_id` of a new store, 24 hex digits derived from its name.

    Names that differ in case only have one id, so that two hosts that add one store at the same time collide
    on it, in a collection where the sync may not add a unique index of its own.
    """
    return blake2b(f"store\x1f{name.casefold()}".encode(errors="replace"), digest_size=12).hexdigest()


def new_stores(known: Collection[Store], wanted: Iterable[Store]) -> list[Store]:
    """Those wanted whose code and name no known one has, each once (contract/database.md, stores).

    Names are compared without regard to case. A blank code says nothing, so two stores may have it.
    """
    names = {store.name.casefold() for store in known}
    codes = {store.code for store in known}
    fresh = []
    for store in wanted:
        name = store.name.casefold()
        if name not in names and (not store.code or store.code not in codes):
            fresh.append(store)
            names.add(name)
            codes.add(store.code)
    return fresh


def store_document(store: Store, now: datetime) -> Document:
    """A store's document as Mongoose would store it, made `now`; no `city` where it is empty."""
    document = {
        "_id": store_id(store.name),
        "name": store.name,
        "code": store.code,
        "brand": store.brand,
        "city": store.city,
        "isActive": store.is_active,
        "createdAt": now,
        "updatedAt": now,
        "__v": 0,
    }
    if not store.city:
        del document["city"]
    return document


def store_from(document: Document) -> Store:
    """A store as stored, by whomever: codes may be numbers, and anything but the name may be absent."""
    name, code, brand, city = (
        to_text(document.get(field) if document.get(field) is not None else "")
        for field in ("name", "code", "brand", "city")
    )
    return Store(name, code, brand, city, bool(document.get("isActive", True)))
