"""Which stores are new, and the id that a new one gets."""

from collections.abc import Collection, Iterable
from hashlib import blake2b

from syncctl.domain.stores import Store


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
