"""JSON Schemas of what commands print with `--json`, made from the types of syncctl.cli.render.documents.

`python -m tests.support.reference` writes them to docs/reference/schemas; `python -m tests.support.schemas`
keeps them as those of the last release, which later ones are compared with.
"""

import json
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from syncctl.cli.render.documents.results import RESULTS
from syncctl.cli.render.printer import SCHEMA
from syncctl.domain.run_documents import FailedDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RELEASED = Path(__file__).with_name("released_schemas.json")
"""The schemas of the last release: file -> schema."""

ERROR = "error"
"""Where the command line names no command that there is."""

Schema = dict[str, Any]

_PLAIN = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
    Any: {},
}
_DAY = r"\d{4}-\d{2}-\d{2}"
_PATTERNS = {"date": f"^{_DAY}$", "date-time": rf"^{_DAY}T\d{{2}}:\d{{2}}:\d{{2}}Z$"}


@cache
def schemas() -> dict[str, Schema]:
    """File below docs/reference/schemas -> schema: one for each command, and one for errors without any."""
    made = {f"{name.replace(' ', '-')}.json": _of_command(name, forms) for name, forms in RESULTS.items()}
    return {**made, f"{ERROR}.json": _of_command(None, ())}


def as_text(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _of_command(name: str | None, forms: tuple[Any, ...]) -> Schema:
    definitions: dict[str, Schema] = {}
    options = [_schema(form, definitions) for form in (*forms, FailedDocument)]
    for option in options:
        form = definitions[_name_in(option)]
        form["properties"]["schema"] = {"const": SCHEMA}
        form["required"].append("schema")
        if name is not None:
            form["properties"]["command"] = {"const": name}
    definitions[FailedDocument.__name__]["properties"]["ok"] = {"const": False}
    return {
        "$schema": DIALECT,
        "title": f"syncctl {name} --json" if name else "a command line with --json that names no command",
        "oneOf": options,
        "$defs": definitions,
    }


def _schema(hint: Any, definitions: dict[str, Schema]) -> Schema:
    if is_typeddict(hint):
        return _object(hint, definitions)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _restricted(*arguments)
    if origin in (UnionType, Union):
        return {"anyOf": [_schema(each, definitions) for each in arguments]}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return dict(_PLAIN[hint])


def _restricted(_text: type, values: str | type[Enum]) -> Schema:
    if isinstance(values, str):
        return {"type": "string", "format": values, "pattern": _PATTERNS[values]}
    return {"type": "string", "enum": [each.value for each in values]}


def _object(form: Any, definitions: dict[str, Schema]) -> Schema:
    name = form.__name__
    if name not in definitions:
        closed: Schema = {
            "description": " ".join(form.__doc__.split()),
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": False,
        }
        definitions[name] = closed
        for key, hint in get_type_hints(form, include_extras=True).items():
            is_optional = get_origin(hint) is NotRequired
            closed["properties"][key] = _schema(get_args(hint)[0] if is_optional else hint, definitions)
            if not is_optional:
                closed["required"].append(key)
    return {"$ref": f"#/$defs/{name}"}


def _name_in(reference: Schema) -> str:
    name: str = reference["$ref"].rpartition("/")[2]
    return name


def breaks(before: Schema, after: Schema) -> list[str]:
    """What a reader of the earlier form of a command's object would stumble over in the later one.

    Keys may be added, and values to a list of them; but no key goes, is no longer always there, or has
    another type.
    """
    found: list[str] = []
    for option in before["oneOf"]:
        tried: list[list[str]] = [
            list(_breaks(_form(option, before), before, _form(each, after), after, _name_in(option)))
            for each in after["oneOf"]
        ]
        closest = min(tried, key=len)
        found += closest
    return found


def _form(schema: Schema, root: Schema) -> Schema:
    form: Schema = root["$defs"][_name_in(schema)] if "$ref" in schema else schema
    return form


def _breaks(before: Schema, root_before: Schema, after: Schema, root_after: Schema, at: str) -> Iterator[str]:
    before, after = _form(before, root_before), _form(after, root_after)
    if "anyOf" in before or "anyOf" in after:
        for option in after.get("anyOf", [after]):
            possible = [
                list(_breaks(each, root_before, option, root_after, at))
                for each in before.get("anyOf", [before])
            ]
            yield from min(possible, key=len)
        return
    for what in ("type", "format", "const"):
        if before.get(what) != after.get(what):
            yield f"{at}: {what} {before.get(what)} is now {after.get(what)}"
    for key, value in before.get("properties", {}).items():
        if key not in after.get("properties", {}):
            yield f"{at}.{key} is gone"
            continue
        if key in before["required"] and key not in after["required"]:
            yield f"{at}.{key} is no longer always there"
        yield from _breaks(value, root_before, after["properties"][key], root_after, f"{at}.{key}")
    for inner in ("items", "additionalProperties"):
        if isinstance(before.get(inner), dict) and isinstance(after.get(inner), dict):
            yield from _breaks(before[inner], root_before, after[inner], root_after, f"{at}[]")


if __name__ == "__main__":
    RELEASED.write_text(as_text(schemas()), encoding="utf-8")
