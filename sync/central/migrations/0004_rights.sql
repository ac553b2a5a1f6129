-- What each device may risk with the cable out, and the rights that a store was lent just in time or that are asked back.
create table allowance (id text primary key, revision bigint not null, body jsonb not null,
    currency text generated always as (body ->> 'currency') stored,
    outstanding_minor bigint generated always as ((body ->> 'granted_minor')::bigint - (body ->> 'used_minor')::bigint
        - (body ->> 'written_off_minor')::bigint) stored);
create table store_right (id text primary key, revision bigint not null, body jsonb not null,
    subject text generated always as (body ->> 'subject') stored,
    state text generated always as (body ->> 'state') stored);
create index store_right_open on store_right (subject) where state <> 'done';
-- How much the head office dares, by currency; where there is no row, the product's own rule holds.
create table cover_rule (currency text primary key, body jsonb not null);
-- The double entry of rights and allowances: nothing is set aside, used, given back or written off without a line here.
create table right_entry (number bigint generated always as identity primary key, at timestamptz not null,
    entry text not null, store text not null, device text not null default '', resource text not null,
    amount bigint not null, cause text not null);
create index right_entry_store on right_entry (store, entry);
