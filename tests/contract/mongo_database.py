"""A MongoDB database as the web app is connected to it."""

from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo import database as pymongo_database

from syncctl.domain.lead_values import Document


@dataclass(frozen=True)
class MongoDatabase:
    """`raw` is the web app's own connection."""

    url: str
    raw: pymongo_database.Database[Document]

    def documents(self, collection: str) -> list[Document]:
        return list(self.raw[collection].find())

    def add_report(self, report_id: str, report: Document) -> None:
        self.raw.reports.insert_one({"_id": report_id, **report})

    def edit_lead(self, lead_id: str, field: str, value: Any) -> None:
        self.raw.leads.update_one({"_id": ObjectId(lead_id)}, {"$set": {field: value}})

    def delete_lead(self, lead_id: str) -> None:
        self.raw.leads.delete_one({"_id": ObjectId(lead_id)})

    def key_rules(self) -> int | None:
        return (self.raw.syncstate.find_one({"_id": "key-rules"}) or {}).get("version")

    def set_key_rules(self, version: int | None) -> None:
        self.raw.syncstate.delete_one({"_id": "key-rules"})
        if version is not None:
            self.raw.syncstate.insert_one({"_id": "key-rules", "version": version})

    def count(self, collection: str) -> int:
        return self.raw[collection].count_documents({})
