"""What training needs of PyTorch."""
