"""The Telegram bot: it tells what happens and answers commands of linked chats.

``service`` is there from the start and small; everything else, the library first of all, is
imported when the bot is switched on.
"""
