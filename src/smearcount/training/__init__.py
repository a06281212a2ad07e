"""Networks, the one training loop, recipes and export: the only room that imports torch."""
