"""Names in a settings file that are not settings of syncctl."""

import pytest

from syncctl.settings.specs import is_rent_out_setting, likely_setting


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("API_SYNC_TIMES", "API_SYNC_TIME"),
        ("api_sync_time", "API_SYNC_TIME"),
        ("API_TIMEOUT", "API_TIMEOUT_S"),
        ("API_TIMEOUT_MS", "API_TIMEOUT_S"),
        ("API_CONCURENCY", "API_CONCURRENCY"),
        ("BOOKINGS_API_BASE_URL", "BOOKING_API_BASE_URL"),
        ("RETRUN_API_KEY", "RETURN_API_KEY"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("MONGO_URL", "MONGO_URI"),
        ("API_TOKEN_FILES", "API_TOKEN_FILE"),
    ],
)
def test_a_near_misspelling_of_a_setting(name: str, meant: str) -> None:
    assert likely_setting(name) == meant


@pytest.mark.parametrize(
    "name",
    [
        # The web app's and the old system's, which share the file.
        *("PORT", "NODE_ENV", "JWT_SECRET", "FRONTEND_URL", "CORS_ORIGIN", "APP_BASE_URL", "APP_TOKEN"),
        *("MONGODB_URI", "MONGODB_URL", "DB_URI", "LOG_LEVEL", "LOG_FORMAT", "LOG_FILE", "EXPORT_DIR"),
        *("VERIFY_EMPLOYEE_API_URL", "VERIFY_EMPLOYEE_API_TOKEN", "SYNC_CONCURRENCY", "STORE_USE_POST"),
        *("BOOKING_DATE_FROM", "BOOKING_DATE_TO", "BOOKING_MONTHS", "WALKIN_CSV_PATH", "API_SYNC_TIMEOUT"),
        *("VITE_API_BASE_URL", "REACT_APP_API_BASE_URL", "BILLING_API_BASE_URL", "DELIVERY_API_KEY"),
        *("RENTOUT_API_BASE_URL", "RENTOUT_API_KEY", "RENTOUT_API_ENDPOINT", "RENT_OUT_API_BASE_URL"),
    ],
)
def test_a_name_of_another_program(name: str) -> None:
    assert likely_setting(name) is None


@pytest.mark.parametrize("name", ["DATABASE_URL", "MONGO_URI", "API_TOKEN", "BOOKING_API_KEY_FILE"])
def test_a_right_name_is_not_misspelt(name: str) -> None:
    assert likely_setting(name) is None


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("RENTOUT_API_BASE_URL", True),
        ("rentout_months", True),
        ("RENT_OUT_API_KEY", True),
        ("RETURN_API_KEY", False),
        ("RENTAL_API_URL", False),
    ],
)
def test_a_setting_of_rent_outs(name: str, is_one: bool) -> None:
    assert is_rent_out_setting(name) is is_one
