"""Retailers' catalogue files, and what kind of garment each item in them is."""
