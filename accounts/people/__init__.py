"""The people of a team: their pages, what admins do to them, and what they do themselves."""
