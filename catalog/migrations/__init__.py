"""Alembic migrations of the catalog; `catalog.database.open_catalog` runs them."""
