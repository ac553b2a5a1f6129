"""The centre: the ledger on PostgreSQL, and what stores, head office and web shop say to it. Stateless; run any number."""
