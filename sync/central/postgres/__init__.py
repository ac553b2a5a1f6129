"""A PostgreSQL of our own for the demo and the tests: its programs, one server, and the leash that it hangs on."""
