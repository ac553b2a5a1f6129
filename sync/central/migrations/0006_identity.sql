-- Where each chain of a device ended when a new one was given, and why. A closed chain is never gone on with.
create table epoch (device text not null, epoch integer not null, seq bigint not null, last_hash text not null,
    closed_at timestamptz not null, reason text not null, claimed_epoch integer not null, claimed_seq bigint not null,
    claimed_hash text not null, primary key (device, epoch));

-- Two journals that wrote as one device used numbers twice. Identities are never changed, so the second operation under
-- a number stands in another branch of the chain.
alter table operation add column branch integer not null default 0;
alter table operation drop constraint operation_device_epoch_seq_key;
create unique index operation_place on operation (device, epoch, seq, branch);

-- Leftovers that no operation can be made of: their id names another operation. Kept for whoever looks into it.
create table stray (device text not null, epoch integer not null, seq bigint not null, hash text not null,
    op_id text not null, data bytea not null, received_at timestamptz not null, primary key (device, hash));

-- The lives of this ledger, oldest first; the last one is the name in `setting`.
create table incarnation (name text primary key, number bigint generated always as identity, began_at timestamptz not null);
