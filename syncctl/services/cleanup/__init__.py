"""What the old system left behind, repaired: copies of leads, misspelt stores; and backups put back."""
