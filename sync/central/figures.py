"""A store's figures as the centre has them: over exactly the rows that its streams carry."""

from __future__ import annotations

from psycopg.sql import SQL, Identifier

from store_agent.codec import NOUN_OF, decode_row
from store_agent.domain.figures import Figures
from sync.central.feed import heads
from sync.central.ground import Connection
from sync.wire import CHAIN, stream_of

FOLLOWED = "select member_id from follow where store = %(store)s"
SCOPES = {
    "chain": "true",
    "store": "body ->> 'store' = %(store)s",
    "stores": "body -> 'used' @> jsonb_build_array(jsonb_build_object('store', %(store)s::text))",
    "member": f"member_id in ({FOLLOWED})",
}
BY_ID = ("account", "tags")


def scope_of(table: str) -> SQL:
    """Which rows of a table a store's streams carry, as a condition that asks for `store`."""
    scope = SCOPES[NOUN_OF[table].audience]
    if table in BY_ID:
        scope = f"id in ({FOLLOWED})"
    elif table == "member":
        scope = f"id in ({FOLLOWED}) or alias_of in ({FOLLOWED})"
    elif table == "cases":
        given = "body -> 'resolutions' @> jsonb_build_array(jsonb_build_object('to_store', %(store)s::text))"
        scope = f"{scope} or {given}"
    elif table == "coupon":
        scope = f"{scope} or member_id = ''"
    elif table == "quota":
        scope = f"({scope} and member_id <> '') or {SCOPES['store']}"
    return SQL(scope)


async def of_store(conn: Connection, store: str) -> dict[str, int]:
    """Counts and sums over what this store holds, or will hold once it has read its streams to these positions."""
    figures = Figures()
    for table in sorted(NOUN_OF):
        query = SQL("select body::text from {} where ").format(Identifier(table)) + scope_of(table)
        for (body,) in await (await conn.execute(query, {"store": store})).fetchall():
            figures.add(decode_row(table, body))
    ends = await heads(conn, (CHAIN, stream_of(store)))
    positions = {"position_chain": ends.get(CHAIN, 0), "position_store": ends.get(stream_of(store), 0)}
    return figures.plain() | positions
