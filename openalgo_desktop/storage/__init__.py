"""Durable state: database with one writer, migrations, repositories, data folder, secret vault."""
