"""Search, filters and facets over a million postings."""
