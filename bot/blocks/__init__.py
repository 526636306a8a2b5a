"""Cards and windows: facts in, Block Kit out; no database, no network."""
