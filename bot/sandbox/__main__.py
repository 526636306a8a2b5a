"""`python -m bot.sandbox [--port 8080]`: the sample company's workspace, without costbot."""

import argparse
import sys

from bot.sandbox.sample_company import workspace
from bot.sandbox.server import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m bot.sandbox", description="A Slack look-alike for trials."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    sys.stderr.write(f"Slack sandbox on http://{arguments.host}:{arguments.port}/ (SLACK_API_URL: …/api/)\n")
    serve(workspace(), arguments.host, arguments.port)
