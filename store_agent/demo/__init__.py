"""All of it on one machine: a database, the centre, two stores, and a cable to pull. Nothing is left when it ends."""
