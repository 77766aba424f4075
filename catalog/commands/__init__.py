"""The commands that read and write the catalog; `catalog.grammar` holds their grammar."""
