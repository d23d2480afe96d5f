"""What each command prints with `--json`, key by key: docs/reference/schemas is made from it. An enumeration
beside a type says which values there are. `schema` is added where it is printed (`printer.print_result`)."""
