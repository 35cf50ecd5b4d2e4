"""What files say of terms: their tables, which terms a user means, their lives, what became of them."""
