"""Which bars and prices a chart shows, and where its axes put labels. No Qt here."""
