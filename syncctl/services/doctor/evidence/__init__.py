"""How the rental API answers, asked on purpose and written down without anybody's data: for whoever has to
tell its dialect from afar."""
