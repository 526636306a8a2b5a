"""What people do in Slack, one module a surface: each parses, asks `workflow`, answers."""
