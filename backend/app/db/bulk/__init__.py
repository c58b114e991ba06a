"""What a bulk call does to the database."""
