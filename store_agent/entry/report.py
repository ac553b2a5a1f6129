"""What the command line says of a store, as plain values: for people as lines, for machines as JSON."""

from __future__ import annotations

from datetime import datetime

import msgspec

from store_agent.config import Settings
from store_agent.desk import baskets, members, overviews, rights
from store_agent.desk import cases as desk_cases
from store_agent.desk.counter import Counter
from store_agent.domain.allowances import Allowance
from store_agent.domain.campaigns import Campaign
from store_agent.domain.cases import Case
from store_agent.entry.store import open_counter, open_replica
from store_agent.replica import standing
from store_agent.safe_text import safe_text
from store_agent.trouble import Trouble
from store_agent.words import _, language, refusals
from store_agent.words.masking import masked_name, masked_phone


def status(settings: Settings) -> dict[str, object]:
    """How far this store is from the centre, and what it holds."""
    with open_replica(settings) as replica:
        counter = open_counter(replica)
        line = overviews.line(counter)
        view = replica.view
        return {
            "store": replica.store,
            "device": replica.device,
            "in_step": line.is_ready and not line.waiting and line.offline_since is None and not line.frozen,
            "frozen": line.frozen,
            "frozen_because": standing.sentence(line.frozen) if line.frozen else "",
            "catching_up": line.is_catching_up,
            "epoch": replica.epoch,
            "waiting": line.waiting,
            "parked": line.parked,
            "behind": line.behind,
            "first_data_percent": first_data_percent(line.arriving),
            "heard_at": line.heard_at.isoformat() if line.heard_at else None,
            "offline_since": line.offline_since.isoformat() if line.offline_since else None,
            "trouble": line.trouble,
            "clock_ahead_s": line.clock_ahead_s,
            "unread": line.unread,
            "members": view.count("member"),
            "products": view.count("product"),
            "operations": replica.journal.count(),
            "cover": _cover(counter),
        }


def cases(settings: Settings) -> list[dict[str, object]]:
    """What waits for somebody to decide at this store."""
    with open_replica(settings) as replica:
        counter = open_counter(replica)
        return [case_as_plain(case, counter.now()) for case in desk_cases.open_cases(counter)]


def case_as_plain(case: Case, now: datetime) -> dict[str, object]:
    """A case as JSON has it, with what follows from it: what is open, and since how long."""
    plain: dict[str, object] = msgspec.to_builtins(case)
    age_s = max(0, int((now - case.opened_at).total_seconds()))
    return {
        **plain,
        "open_minor": case.open_minor,
        "age_s": age_s,
        "at_store": case.at_store,
        "at_person": case.at_person,
    }


def _cover(counter: Counter) -> dict[str, object]:
    """What this store is covered for with the cable out."""
    view = counter.replica.view
    allowance: Allowance | None = view.get("allowance", counter.replica.device)
    points, coupons = rights.held(counter)
    return {
        "currency": counter.store.currency,
        "allowance_minor": allowance.target_minor if allowance else 0,
        "left_minor": allowance.left_minor if allowance else 0,
        "granted_minor": allowance.granted_minor if allowance else 0,
        "used_minor": allowance.used_minor if allowance else 0,
        "points_held": points,
        "coupons_held": coupons,
        "asked_back": len(view.find("store_right", "state", "recalled")),
    }


def first_data_percent(arriving: overviews.Arriving | None) -> int | None:
    """How much of the first data is here; 100 while they are put in order, None where none are on their way."""
    if arriving is None:
        return None
    return 100 if arriving.is_here else arriving.percent


def _campaign_name(counter: Counter, campaign_id: str) -> str:
    campaign: Campaign | None = counter.replica.view.get("campaign", campaign_id)
    return safe_text(campaign.name.get(language()) or campaign.name.get("en") or campaign_id) if campaign else ""


def member(settings: Settings, text: str) -> dict[str, object]:
    """What this store knows of a member; Trouble where the text names none, or more than one."""
    with open_replica(settings) as replica:
        counter = open_counter(replica)
        found = members.find(counter, text)
        if not found:
            raise Trouble(
                _("No member is found by this."), _("Try the last digits of the phone number, or part of the name.")
            )
        if len(found) > 1:
            names = ", ".join(f"{masked_name(safe_text(one.name))} {masked_phone(one.phone)}" for one in found[:5])
            raise Trouble(
                _("More than one member is found: {names}.").format(names=names), _("Type more of the number or name.")
            )
        overview = overviews.member(counter, found[0].id, baskets.empty(counter), language())
        assert overview is not None
        person = overview.member
        return {
            "id": person.id,
            "name": safe_text(person.name),
            "phone": person.phone,
            "tier": str(person.tier),
            "points": overview.points.balance,
            "points_on_the_way": overview.points.on_the_way,
            "coupons": [
                {
                    "name": _campaign_name(counter, verdict.campaign_id),
                    "verdict": str(verdict.kind),
                    "why": refusals.say(verdict.refusal) if verdict.refusal else "",
                    "id": verdict.coupon_id,
                    "campaign": verdict.campaign_id,
                }
                for verdict in overview.quote.verdicts
            ],
            "pickups": [{"order_no": order.order_no, "state": str(order.state)} for order in overview.pickups],
            "tags": [safe_text(tag.label) for tag in overview.tags],
            "purchases": len(overview.purchases),
            "as_of": overview.as_of_at.isoformat() if overview.as_of_at else None,
        }
