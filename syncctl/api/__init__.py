"""The rental API: its wire, its failures, and the lanes that ask it politely."""
