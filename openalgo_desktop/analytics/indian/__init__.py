"""What Indian traders read on charts, computed: session averages, levels of earlier days, profiles,
open interest. Pure; ``analytics/indicators`` has the tables that offer it."""
