"""The commands of `costbot`, one module per noun; `bot.cli` wires them."""
