"""How the state of an order is said, and in which colour."""

from __future__ import annotations

from store_agent.domain.pickups import IdentityCheck, Pickup, PickupState
from store_agent.words import _, later

STATES = {
    PickupState.PLACED: (later("new"), "$text-accent"),
    PickupState.ACCEPTED: (later("accepted"), "$text-secondary"),
    PickupState.PICKING: (later("picking"), "$text-secondary"),
    PickupState.READY: (later("ready"), "$text-success"),
    PickupState.HANDED_OVER: (later("handed over"), "$foreground 55%"),
    PickupState.REJECTED: (later("rejected"), "$text-error"),
    PickupState.CANCELLED: (later("cancelled"), "$text-error"),
    PickupState.EXPIRED: (later("not collected"), "$text-warning"),
    PickupState.RETURNED: (later("back on the shelf"), "$foreground 55%"),
}
CHECKS = (
    (IdentityCheck.CODE, later("Pickup code")),
    (IdentityCheck.DOCUMENT, later("Document")),
    (IdentityCheck.PHONE_DIGITS, later("Last digits of the phone")),
    (IdentityCheck.MEMBER_PASS, later("Member card")),
)


def state_of(order: Pickup) -> tuple[str, str]:
    """The word, and its style. An order whose customer asked to cancel says so first."""
    if order.cancel_requested and order.state not in (PickupState.CANCELLED, PickupState.HANDED_OVER):
        return _("cancel asked for"), "$text-error"
    word, style = STATES[order.state]
    return _(word), style
