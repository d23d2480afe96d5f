"""Test calls to the rental API, documented without anybody's data, so that its dialect can be identified
remotely."""
