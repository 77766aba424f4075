"""The commands that read and write the catalog; `catalog.cli` holds their grammar."""
