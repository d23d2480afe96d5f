"""What lets a person look without a pass over a table: indexes, and the last count of what needs a pass."""

ODD_PHONE = f"phone NOT GLOB '{'[0-9]' * 10}' AND phone <> ''"
ODD_BOOKING_NO = "bookingNo GLOB '*[^!-~]*'"
"""Which leads have a phone number that is not ten digits, and a booking number with a blank or a character
that is not ASCII: a query that says so word for word looks only at these."""

LOOKING = (
    f"CREATE INDEX leads_oddPhone ON leads (phone) WHERE {ODD_PHONE}",
    f"CREATE INDEX leads_oddBookingNo ON leads (bookingNo) WHERE {ODD_BOOKING_NO}",
    "CREATE INDEX synclogs_syncType ON synclogs (syncType)",
    "CREATE INDEX synclogs_lastSyncAt ON synclogs (lastSyncAt)",
    "CREATE INDEX syncrejects_open ON syncrejects (rejectedAt) WHERE closedAt IS NULL",
    """
CREATE TABLE synccounts (
    _id TEXT PRIMARY KEY NOT NULL,
    sets INTEGER NOT NULL,
    extraCopies INTEGER NOT NULL,
    countedAt TEXT NOT NULL,
    countedBy TEXT NOT NULL
)""",
)
"""One of `schema.MIGRATIONS`: never changed once released."""
