"""Every key of the counter, once: the line of keys, the help and the bindings are all made from this list."""

from __future__ import annotations

from dataclasses import dataclass

from store_agent.words import later


@dataclass(frozen=True, slots=True)
class Key:
    """A key, what it does, and the words for it: short in the line of keys, a sentence in the help."""

    key: str
    action: str
    label: str
    explains: str
    is_rare: bool = False
    """Gives way to the others where the line of keys is short."""

    @property
    def cap(self) -> str:
        """What is printed on the key."""
        if self.key.startswith("ctrl+"):
            return f"^{self.key[-1].upper()}"
        return {"escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab"}.get(self.key, self.key.upper())


COUNTER_KEYS = (
    Key("f1", "help", later("Help"), later("This list of keys.")),
    Key("f2", "redeem", later("Redeem"), later("Use the best coupons on the basket; F2, then Enter.")),
    Key("f3", "points", later("Points"), later("Pay with points; as many as possible are entered already.")),
    Key("f4", "register", later("Register"), later("Sign up a new member; works with the cable out too.")),
    Key(
        "f4",
        "edit",
        later("Correct"),
        later("With a member open: correct the name, the mail, the consent to news."),
        True,
    ),
    Key("f5", "hand_over", later("Hand over"), later("Give the member the order that is ready.")),
    Key("f6", "tag", later("Tag"), later("Tag the member, or write a note.")),
    Key("f7", "stock", later("Stock"), later("Look up a product: here, and in other stores.")),
    Key("f8", "pickups", later("Pickups"), later("All web orders of this store, by promised time.")),
    Key(
        "ctrl+o",
        "cases",
        later("Cases"),
        later("What broke a limit here and waits for a lead or a manager to decide."),
        True,
    ),
    Key("f9", "clear", later("Next"), later("The next customer: member and basket are put away.")),
    Key("f10", "language", later("中文"), later("The next language: 繁體中文, 香港, English.")),
    Key("ctrl+r", "show_code", later("QR"), later("Show the member's code as a QR code, for their phone."), True),
    Key("f12", "cable", later("Cable"), later("Only in the demo: pull or plug the cable to the centre.")),
    Key("escape", "back", later("Back"), later("One step back: what is typed, the basket, the member.")),
    Key("ctrl+q", "quit", later("Quit"), later("End the program. Nothing that was confirmed is lost.")),
)
BOX_KEYS = (
    Key("Enter", "", "", later("Look up what is typed; on a list, open the member.")),
    Key("↑ ↓", "", "", later("Choose from a list.")),
    Key("=350", "", "", later("A basket of which only the total is known.")),
    Key("Ctrl+D", "remove_line", "", later("Take the last product out of the basket, one piece at a time.")),
    Key("PgUp PgDn", "", "", later("Scroll the coupons.")),
)
