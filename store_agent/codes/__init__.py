"""Signed codes: what a phone shows and a store believes with the cable out.

`SA1:`, then base45 of a COSE_Sign1 over CWT claims. Whom to believe is in the rows of `store_agent.domain.keys`.
"""

from __future__ import annotations

from store_agent.codes.claims import SignedCode
from store_agent.codes.cose import key_id_of
from store_agent.codes.reading import PREFIX, read_code
from store_agent.codes.scanning import SignedScan, signed_reader
from store_agent.codes.writing import write_code

__all__ = ["PREFIX", "SignedCode", "SignedScan", "key_id_of", "read_code", "signed_reader", "write_code"]
