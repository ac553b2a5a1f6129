"""The journal: numbered, chained, read from any place, and slow for nobody as it grows."""

from __future__ import annotations

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.codec import Entry
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Answer
from store_agent.replica.journal import Place
from tests.test_replica import FIRST, check_chain, counter_of, note, replica

__all__ = ["replica"]


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


def test_what_the_centre_received_is_not_sent_again_and_stays_in_the_journal(replica: Replica) -> None:
    for n in range(4):
        note(replica, str(n))
    assert seqs(replica.outbox(3)) == [1, 2, 3]
    replica.cache.keep(received=f"1.3.{replica.journal.hash_at(Place(1, 3))}")
    assert seqs(replica.outbox(3)) == [4, 5]
    assert check_chain(replica) == 5


def test_a_new_epoch_begins_at_one_again_behind_the_old_one(replica: Replica) -> None:
    replica.journal.keep(epoch="2")
    note(replica, "new")
    assert replica.journal.last() == Place(2, 1)
    assert [(entry.epoch, entry.seq) for entry in replica.journal.after(FIRST)] == [(1, 1), (2, 1)]


def test_an_id_is_never_used_for_two_operations(replica: Replica) -> None:
    counter = counter_of(replica)
    operation = AddNote(**counter.named(), member_id="m1", text="once")
    assert counter.accept(operation) is None
    assert counter.accept(operation) is not None, "the rule sees that it is there"
    other = AddNote(**{**counter.named(), "op_id": operation.op_id}, member_id="m2", text="another")
    with pytest.raises(sqlcipher.IntegrityError):
        counter.accept(other)
    assert check_chain(replica) == 2


def test_the_bytes_in_the_journal_are_those_that_are_sent(replica: Replica) -> None:
    with Replica(replica.folder, bytes(range(32))) as again:
        assert [entry.data for entry in again.outbox(9)] == [entry.data for entry in replica.outbox(9)]


def test_the_floor_rises_over_answers_in_whatever_order_they_come(replica: Replica) -> None:
    for n in range(4):
        note(replica, str(n))
    entries = list(replica.journal.after(FIRST))
    for entry, floor in ((entries[1], 0), (entries[0], 2), (entries[4], 2), (entries[2], 3), (entries[3], 5)):
        answer = Answer(entry.operation.op_id, entry.epoch, entry.seq, "applied")
        replica.cache.absorb(Absorbed(answers=[answer]))
        replica.raise_floor()
        assert replica.floor() == (Place(1, floor) if floor else FIRST)
    assert replica.view.waiting() == []


def test_the_floor_and_what_was_received_count_only_for_the_journal_they_were_said_of(replica: Replica) -> None:
    for n in range(3):
        note(replica, str(n))
    replica.cache.keep(received=f"1.2.{'0' * 64}", floor="1.3.another-operation")
    assert replica.received() == replica.floor() == FIRST
    with Replica(replica.folder, replica._key) as again:
        assert again.view.waiting_count() == 4, "or what stands under the numbers of another journal would not be shown"
