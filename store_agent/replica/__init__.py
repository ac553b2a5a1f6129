"""What the store has on disk. Every line of SQLite's SQL in the project stands in this folder or in `schema.py`."""

from store_agent.replica.replica import Replica

__all__ = ["Replica"]
