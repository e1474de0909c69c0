"""What every room needs: files that are written completely or not at all, and checked arguments."""
