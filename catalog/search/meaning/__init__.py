"""Search by meaning, with a local embedding model. Nothing here is imported unless it is switched on."""
