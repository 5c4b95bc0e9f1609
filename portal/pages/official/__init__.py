"""The pages of an official: what asks for a judgement, the stations of the municipality, and how much they are used."""
