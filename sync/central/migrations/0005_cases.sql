-- Cases are rows like any other: they travel to the store where they happened, and change by operations.
drop table case_file;
create table cases (id text primary key, revision bigint not null, body jsonb not null,
    store text generated always as (body ->> 'store') stored,
    kind text generated always as (body ->> 'kind') stored,
    state text generated always as (body ->> 'state') stored,
    op_id text generated always as (body -> 'op_ids' ->> 0) stored);
create index cases_of_store on cases (store, state);
create index cases_of_operation on cases (op_id);
create index cases_given on cases using gin ((body -> 'resolutions') jsonb_path_ops);

-- Operations that wait for a person, in the order in which they came: those of one subject wait behind each other.
create table parked (number bigint generated always as identity primary key, op_id text not null unique,
    subject text not null);
create index parked_subject on parked (subject) where subject <> '';
insert into parked (op_id, subject) select op_id, subject from operation where outcome = 'parked'
    order by received_at, device, epoch, seq;

-- Who shows an identity that another member has is perhaps that member.
create index member_links on member using gin ((body -> 'links') jsonb_path_ops);
