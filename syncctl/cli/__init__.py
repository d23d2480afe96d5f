"""The command line: it parses, calls a service, and hands the result to one renderer."""
