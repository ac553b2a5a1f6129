"""How fast it is: each figure of ours beside a limit or a rival that runs in turns with us on the same work."""
