"""The command line: parses options, calls a service, and passes the result to one renderer."""
