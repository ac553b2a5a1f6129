"""What the head office and the web shop say to the centre: imports, offers, orders, and how every store stands."""
