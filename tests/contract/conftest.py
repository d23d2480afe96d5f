"""Makes pytest explain the assertions of the suites, which are no test modules themselves."""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.storage_suite",
    "tests.contract.lead_suite",
    "tests.contract.merge_suite",
    "tests.contract.sync_state_suite",
)
