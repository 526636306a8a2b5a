"""A Slack look-alike for trials and tests: Web API, Socket Mode, signed HTTP, and a page to act on."""
