"""Everything that can be imported, by name: the type of its records and what they do."""

from __future__ import annotations

from store_agent.domain.campaigns import Campaign
from sync.central.office import catalogue, offers, people, records
from sync.central.office.imports import Table

TABLES = {
    table.name: table
    for table in (
        Table("stores", records.StoreRecord, catalogue.Stores),
        Table("staff", records.StaffRecord, catalogue.StaffList),
        Table("products", records.ProductRecord, catalogue.Products),
        Table("prices", records.PriceRecord, catalogue.Prices),
        Table("stock", records.StockRecord, catalogue.StockFigures),
        Table("members", records.MemberRecord, people.Members),
        Table("points", records.PointsRecord, people.Grants),
        Table("tag-words", records.TagWordRecord, catalogue.TagWords),
        Table("campaigns", Campaign, offers.Campaigns),
        Table("coupons", records.CouponRecord, offers.Coupons),
    )
}
