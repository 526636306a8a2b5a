"""The Slack surface of costbot, and the command line that wires the three packages together."""
