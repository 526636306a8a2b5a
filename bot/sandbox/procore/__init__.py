"""A Procore look-alike for trials and tests: the endpoints that costbot uses, as Procore documents them."""
