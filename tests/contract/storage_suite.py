"""The contract of ports.admin.Database as one suite, inherited by the tests of each adapter."""

from collections.abc import Iterator

import pytest

from syncctl.ports.admin import Database as LeadDatabase
from syncctl.storage.registry import open_storage
from tests.contract.import_suite import ImportSuite
from tests.contract.lead_suite import Database, LeadSuite, ReportSuite
from tests.contract.looking_suite import LookingSuite
from tests.contract.merge_suite import EditSuite, MergeSuite
from tests.contract.repair_suite import RepairSuite
from tests.contract.survey_suite import SurveySuite
from tests.contract.sync_state_suite import FileSuite, RejectSuite, StoreSuite, SyncStateSuite


class StorageSuite(
    LeadSuite,
    ReportSuite,
    MergeSuite,
    EditSuite,
    RejectSuite,
    StoreSuite,
    FileSuite,
    SyncStateSuite,
    SurveySuite,
    LookingSuite,
    RepairSuite,
    ImportSuite,
):
    """Inherit it with a fixture `database` that returns an empty Database."""

    @pytest.fixture
    def storage(self, database: Database) -> Iterator[LeadDatabase]:
        storage = open_storage(database.url)
        storage.prepare()
        yield storage
        storage.close()
