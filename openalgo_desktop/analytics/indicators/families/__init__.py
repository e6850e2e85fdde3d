"""All studies, by family. A module with ``STUDIES`` is found by being here."""
