"""The page at `/`: what is known of the service, as HTML and plots that need no script."""

from backend.app.home.page import Place, Seen, page

__all__ = ["Place", "Seen", "page"]
