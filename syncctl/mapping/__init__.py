"""Maps a source's row to the values of a lead."""
