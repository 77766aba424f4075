"""What a person sees: the terminal UI. Builds on `catalog` alone and never imports torch."""
