"""Every bug that can be planted, by name: in which room of the product somebody made it, and what they did wrong."""

from __future__ import annotations

from tests.simulator.planting import Plant
from tests.simulator.plants_centre import AT_CENTRE_PLANTS
from tests.simulator.plants_feed import FEED_PLANTS
from tests.simulator.plants_rights import RIGHT_PLANTS
from tests.simulator.plants_rules import RULE_PLANTS
from tests.simulator.plants_store import STORE_PLANTS

PLANTS: dict[str, Plant] = {
    **STORE_PLANTS,
    **FEED_PLANTS,
    **AT_CENTRE_PLANTS,
    **RULE_PLANTS,
    **RIGHT_PLANTS,
}
