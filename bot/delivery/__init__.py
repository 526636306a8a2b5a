"""Delivery: what the outbox says, told in Slack: cards drawn anew, threads answered, people written to.

`loop` owns the order of a drain, `outcomes` what becomes of a notice, and the rest one kind of notice each.
Nothing it does is lost or doubled by a kill.
"""

from bot.delivery.loop import LOCK, deliver_waiting, drain

__all__ = ["LOCK", "deliver_waiting", "drain"]
