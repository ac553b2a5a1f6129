"""What a person at the store can do: one module a counter, one function a verb. Screens, CLI and till call these."""
