-- Signed codes that count once, and each use of them.
create table code_use (id text primary key, revision bigint not null, body jsonb not null);

-- Hashes of PINs: rows of their own, so that no look at a member or at the staff shows them.
create table member_pin (id text primary key, revision bigint not null, body jsonb not null,
    member_id text generated always as (body ->> 'member_id') stored);
create index member_pin_member on member_pin (member_id);
create table staff_pin (id text primary key, revision bigint not null, body jsonb not null);

-- Secret keys are sealed: with which key, by its fingerprint. Empty where it was kept before there was one.
alter table signing_secret add column sealed_by text not null default '';
