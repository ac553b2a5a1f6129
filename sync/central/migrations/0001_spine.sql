-- One table a noun. What is searched by is generated from the row, so that the two cannot disagree.
create table store (id text primary key, revision bigint not null, body jsonb not null);
create table staff (id text primary key, revision bigint not null, body jsonb not null);
create table product (id text primary key, revision bigint not null, body jsonb not null);
create table campaign (id text primary key, revision bigint not null, body jsonb not null);
create table tag_word (id text primary key, revision bigint not null, body jsonb not null);
create table availability (id text primary key, revision bigint not null, body jsonb not null);
create table member (id text primary key, revision bigint not null, body jsonb not null,
    phone text generated always as (body ->> 'phone') stored,
    code text generated always as (body ->> 'code') stored,
    card_no text generated always as (body ->> 'card_no') stored,
    alias_of text generated always as (body ->> 'alias_of') stored);
create unique index member_phone on member (phone) where alias_of = '';
create index member_any_phone on member (phone);
create index member_code on member (code) where code <> '';
create index member_card_no on member (card_no) where card_no <> '';
create index member_alias_of on member (alias_of) where alias_of <> '';
create table account (id text primary key, revision bigint not null, body jsonb not null);
create table coupon (id text primary key, revision bigint not null, body jsonb not null,
    member_id text generated always as (body ->> 'member_id') stored,
    code text generated always as (body ->> 'code') stored);
create index coupon_member on coupon (member_id);
create index coupon_code on coupon (code) where code <> '';
create table quota (id text primary key, revision bigint not null, body jsonb not null,
    member_id text generated always as (body ->> 'member_id') stored);
create index quota_member on quota (member_id) where member_id <> '';
create table purchase (id text primary key, revision bigint not null, body jsonb not null,
    member_id text generated always as (body ->> 'member_id') stored);
create index purchase_member on purchase (member_id);
create table tags (id text primary key, revision bigint not null, body jsonb not null);
create table pickup (id text primary key, revision bigint not null, body jsonb not null,
    member_id text generated always as (body ->> 'member_id') stored,
    order_no text generated always as (body ->> 'order_no') stored);
create index pickup_order on pickup (order_no);
create table stock (id text primary key, revision bigint not null, body jsonb not null,
    gtin text generated always as (body ->> 'gtin') stored);
create index stock_gtin on stock (gtin);

-- Which stores hold a member's rows.
create table follow (member_id text not null, store text not null, since_at timestamptz not null,
    primary key (member_id, store));

-- A stream is a head and the rows below it. The head is moved last in a transaction, so that the order of
-- positions is the order of commits; `group_end` is the last position of the transaction that wrote the row.
create table head (stream text primary key, position bigint not null);
create table feed (stream text not null, position bigint not null, group_end bigint not null,
    tbl text not null, row_id text not null, revision bigint not null, body text not null,
    primary key (stream, position));

create table device (id text primary key, store text not null, name text not null, public_key text not null,
    epoch integer not null default 1, seq bigint not null default 0, last_hash text not null,
    enrolled_at timestamptz not null, heard_at timestamptz, revoked_at timestamptz);
create table enrolment_code (code_hash text primary key, store text not null, made_at timestamptz not null,
    expires_at timestamptz not null, used_by text);

create table operation (op_id text primary key, device text not null, epoch integer not null, seq bigint not null,
    hash text not null, kind text not null, subject text not null, data bytea not null, outcome text not null,
    reason text not null default '', received_at timestamptz not null, unique (device, epoch, seq));
create index operation_parked on operation (kind, subject) where outcome = 'parked';

-- Work for people: it happened in a store, and the centre's wider knowledge disagrees.
create table case_file (id text primary key, kind text not null, op_id text not null, store text not null,
    staff text not null, subject text not null, reason text not null, amount_minor bigint not null,
    currency text not null, opened_at timestamptz not null, resolved_at timestamptz, resolution text not null default '',
    unique (op_id, kind));

create table setting (name text primary key, value text not null);
