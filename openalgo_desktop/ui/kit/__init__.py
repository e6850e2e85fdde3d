"""What docks and dialogs are made of: widgets, fields, tables, theme, formats."""
