"""How training scales to many devices: formulas, published results, tables."""
