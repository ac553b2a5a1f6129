-- Products whose stock changed since availability was last published. No key, so that writers never wait for each other.
create table stock_change (id bigint generated always as identity primary key, gtin text not null);
create function note_stock_change() returns trigger language plpgsql as $$
begin
    insert into stock_change (gtin) select distinct gtin from fresh;
    return null;
end $$;
create trigger stock_inserted after insert on stock referencing new table as fresh
    for each statement execute function note_stock_change();
create trigger stock_updated after update on stock referencing new table as fresh
    for each statement execute function note_stock_change();
insert into stock_change (gtin) select distinct gtin from stock;

-- What the centre does itself is numbered like a device's operations, so that every change names its cause.
create table own_chain (device text primary key, seq bigint not null, last_hash text not null);
insert into own_chain values ('centre', 0, repeat('0', 64));

-- An order as it was placed: the same again is answered the same, other content under its number is refused.
create table web_order (order_no text primary key, pickup_id text not null, content_hash text not null,
    reply text not null, placed_at timestamptz not null);
