"""Warehouses of earlier versions, which later ones must open and go on with."""
