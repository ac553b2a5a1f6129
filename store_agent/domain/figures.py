"""The figures by which a store and the centre are laid side by side: the same sums over the same rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """Counts and sums over rows, added one by one in any order."""

    rows: Counter[str] = field(default_factory=Counter)
    """By table."""
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, row: Any) -> None:
        """Count one row in."""
        self.rows[row.table] += 1
        sums = self.sums
        match row.table:
            case "account":
                sums["points"] += sum(batch.left for batch in row.batches) - row.owed
            case "coupon":
                sums["coupon_uses"] += len(row.standing)
                sums["coupon_saved_minor"] += sum(use.saved_minor for use in row.standing)
            case "quota":
                sums["quota_used"] += row.used - row.given_back
            case "purchase":
                sums["paid_minor"] += row.paid_minor
            case "pickup":
                sums[f"pickups_{row.state}"] += 1
            case "stock":
                sums["on_hand"] += row.on_hand
                sums["held"] += row.held
            case "tags":
                sums["tags"] += len(row.tags)
                sums["notes"] += len(row.notes)
            case "cases":
                sums["cases_open"] += row.resolved_at is None
                sums["cases_open_minor"] += row.open_minor
            case "member":
                sums["merged"] += bool(row.alias_of)

    def plain(self) -> dict[str, int]:
        """All of them by name, in a fixed order."""
        counted = {f"{table}_rows": count for table, count in self.rows.items()}
        return dict(sorted({**counted, **self.sums}.items()))
