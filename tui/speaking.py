"""Trouble (cable out, disk full) is said to the person in one place, whatever screen or key it came up under.

A bug is no trouble: it still ends the program, with all committed work safe.
"""

from __future__ import annotations

from textual.events import Event
from textual.message import Message
from textual.message_pump import MessagePump

from store_agent.trouble import Trouble


class TroubleFound(Message):
    """Something outside failed. Bubbles to the app, which says it on the screen on top."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble


class Speaking(MessagePump):
    """A screen, or the app: trouble that comes up while a message of it is handled does not end the program."""

    async def on_event(self, event: Event) -> None:
        """Keys come this way, and with them every action that a key is bound to."""
        try:
            await super().on_event(event)
        except Trouble as trouble:
            self.post_message(TroubleFound(trouble))

    async def _on_message(self, message: Message) -> None:
        try:
            await super()._on_message(message)
        except Trouble as trouble:
            self.post_message(TroubleFound(trouble))
