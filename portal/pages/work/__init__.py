"""What asks for a hand at an operator: found (sources), put into words (items), shown (queue) and put aside (aside)."""
