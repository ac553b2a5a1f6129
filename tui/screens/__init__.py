"""What fills the window. There is one: the counter. All else opens over it and goes back to it."""
