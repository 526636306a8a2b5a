"""Procore over its REST API: reading what waits there, and telling it what reached Sage."""
