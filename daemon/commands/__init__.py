"""The commands that run the daemon, the decoder or the model; `catalog.cli` holds their grammar."""
