"""The one way in which a broker is written here: a spec of tables, executed by this kit."""
