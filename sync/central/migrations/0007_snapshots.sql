-- A store's rows of one moment as one file that never changes, in parts: any process can serve any part of it.
create table snapshot (id text primary key, store text not null, incarnation text not null, positions text not null,
    included text not null, row_count bigint not null, size bigint not null, sha256 text not null,
    made_at timestamptz not null);
create index snapshot_store on snapshot (store, made_at);
create table snapshot_part (snapshot_id text not null references snapshot on delete cascade, start bigint not null,
    size bigint not null, data bytea not null, primary key (snapshot_id, start));
-- Packed already: packing it again would only cost time.
alter table snapshot_part alter column data set storage external;

-- Where streams ended at some moments, so that it is known what is old; and up to where their rows are gone.
create table feed_mark (stream text not null, position bigint not null, at timestamptz not null,
    primary key (stream, position));
create table feed_floor (stream text primary key, position bigint not null);
