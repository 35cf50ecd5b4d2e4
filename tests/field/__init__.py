"""What the field publishes, made by code: each case is pulled, and what it must become is checked."""
