"""What is packed: entries of zip and tar, what is compressed inside a file, and how much of both is read at most."""
