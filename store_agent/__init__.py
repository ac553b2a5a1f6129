"""Store Agent: the companion at a store's counter, with the cable in or out."""

__version__ = "0.1.0"
