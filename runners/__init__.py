"""Training that writes run logs: the only place with torch."""
