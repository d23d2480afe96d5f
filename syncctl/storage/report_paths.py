"""Where the four shapes of `reports` keep a lead's id and a customer's phone (contract/database.md)."""

SNAPSHOTS = ("leadData", "leadSnapshot", "beforeSnapshot")

LEAD_ID_PATHS = (
    "id",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOTS for name in ("_id", "id")),
)

PHONE_PATHS = (
    "phone",
    "phone_before",
    "phone_after",
    "phone_number",
    "phone_number_before",
    "phone_number_after",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOTS for name in ("phone", "phone_number")),
)
