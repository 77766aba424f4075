"""The commands that run the daemon, the decoder or the model; `catalog.grammar` holds their grammar."""
