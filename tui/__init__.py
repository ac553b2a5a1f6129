"""What a person sees. Only this package knows Textual; it calls desks and shows overviews, and decides nothing."""
