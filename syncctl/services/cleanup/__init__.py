"""Repairs what the old system left behind: duplicate leads, misspelt stores; and restores backups."""
