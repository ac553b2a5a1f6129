"""The whole chain in one seeded loop: real stores, real centres, real SQLite and PostgreSQL, and time that is only said."""
