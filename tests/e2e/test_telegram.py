"""The whole program and its bot: commands of the owner, a chat, a notification, a kill."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.driver import Program, run
from tests.emulators.telegram import TOKEN, USER, TelegramEmulator
from tests.emulators.thread import EmulatorThread
from tests.faults.test_secrets import leaks
from tests.waiting import wait_for


def ok(program: Program, *arguments: str, text: str = "") -> str:
    code, said = run(program.data_dir, "telegram", *arguments, text=text)
    assert code == 0, said
    return said


def test_a_bot_from_its_token_to_a_kill_of_the_program(tmp_path: Path):
    with EmulatorThread(TelegramEmulator) as thread:  # type: ignore[type-var]
        api = thread.emulator
        settings = (f"telegram.api_url={api.url}", "telegram.tell.connection=false")
        program = Program(tmp_path / "data", "--sim-frozen", settings=settings)
        program.start()
        try:
            ok(program, "token", text=f"{TOKEN}\n")
            assert "@desk_bot" in ok(program, "on")
            code = re.search(r"/link (\d{6})", ok(program, "link"))
            assert code is not None
            thread.do(lambda: api.write(f"/link {code[1]}"))
            wait_for(api.texts, "the greeting")
            assert str(USER) in ok(program, "chats")
            sent = program.call(
                "telegram/notify",
                username="trader",
                message="from a script",
                wait_for_delivery=True,
            )
            assert sent["message"] == "Notification sent successfully"
            assert api.texts()[-1] == "from a script"
            thread.do(lambda: api.write("/funds"))
            wait_for(lambda: "Funds (SANDBOX)" in api.texts()[-1], "the funds")
            api.repeat = True  # its confirmation is lost
            program.kill()
            count = len(api.said)
            program.start()  # still on, and the old messages come again
            thread.do(lambda: api.write("/mode"))
            wait_for(lambda: len(api.said) > count, "the mode")
            assert api.texts()[count:] == ["Orders go to SANDBOX."]
            assert program.stop() == 0
        finally:
            if program._process is not None and program._process.poll() is None:
                program.kill()
        secret = {"token": TOKEN.partition(":")[2]}
        assert leaks(program.data_dir, secret, program.output) == []
