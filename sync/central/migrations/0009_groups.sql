-- What one transaction writes into a stream is one group, also where it publishes twice: `began` is where the stream
-- ended before that transaction. Unknown is beyond every position, so that no group is ever widened by mistake.
alter table head add column began bigint not null default 9223372036854775807, add column written_by xid8;
