"""A local stand-in for the rental API. Imports nothing else of syncctl, so that no mistake is shared."""

from syncctl.sandbox.connections import LoggedRequest
from syncctl.sandbox.dialects import DIALECTS, TRAITS
from syncctl.sandbox.faults import FAULT_KINDS, Fault
from syncctl.sandbox.sandbox import Sandbox
from syncctl.sandbox.wire import Report

__all__ = ["DIALECTS", "FAULT_KINDS", "TRAITS", "Fault", "LoggedRequest", "Report", "Sandbox"]
