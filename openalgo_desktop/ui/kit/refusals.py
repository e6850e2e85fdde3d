"""What the window says about a refusal: a trader's words, and rupees as they stand elsewhere."""

from __future__ import annotations

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.wording import in_words
from openalgo_desktop.ui.kit import format as fmt


def told(error: AppError) -> str:
    """An error of the corridor as a sentence."""
    return fmt.amounts(in_words(error))
