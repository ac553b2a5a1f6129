-- Public keys are rows for every store. Secret keys are in no stream and no answer: they have a table of their own,
-- which only its owner reads.
create table key (id text primary key, revision bigint not null, body jsonb not null,
    issuer text generated always as (body ->> 'issuer') stored);
create table signing_secret (key_id text primary key references key (id), secret bytea not null,
    made_at timestamptz not null);
revoke all on signing_secret from public;

-- The chain's short name in its codes: short, for every character of a code costs; random, for no two chains talk of it.
insert into setting values ('chain', lpad(to_hex((random() * 16777215)::int), 6, '0')) on conflict do nothing;
