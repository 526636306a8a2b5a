"""The rules of costbot and the only code that writes its database; knows neither Slack nor Sage."""
