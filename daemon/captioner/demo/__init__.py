"""The bundled demo checkpoint: a tiny model that knows coloured moving shapes, and how it is made."""
