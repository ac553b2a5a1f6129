"""How a store and the centre keep in step: operations up, rows down."""
