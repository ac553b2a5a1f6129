"""The ledger's schema, one SQL file a step, only ever added to."""
