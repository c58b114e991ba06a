"""Bulk calls, from the request to the response."""
