"""What training needs of JAX."""
