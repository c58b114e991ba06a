"""The benchmark: this app beside Motor alone, a minimal FastAPI app and Eve, on one database."""
