from __future__ import annotations

import io

import pytest

from demo.console import WIDTH, Console, seconds


class Terminal(io.StringIO):
    """A stream that says somebody watches."""

    def isatty(self) -> bool:
        return True


def test_into_a_file_goes_plain_text() -> None:
    out = io.StringIO()
    console = Console(out)

    console.title("Assay")
    console.live("working")
    console.as_told("it held")
    console.page("http://localhost:8000/models/", "look here")

    assert (
        out.getvalue() == "Assay\n\n   ✓ it held\n   → http://localhost:8000/models/  look here\n"
    )


def test_a_terminal_gets_colour() -> None:
    out = Terminal()

    Console(out).not_as_told("it did not")

    assert out.getvalue() == "\x1b[31m   ✗ \x1b[0mit did not\n"


def test_a_step_ends_with_its_duration_at_the_margin() -> None:
    out = io.StringIO()

    with Console(out).step("Assay starts"):
        pass

    line = out.getvalue().rstrip("\n")
    assert line.startswith("  Assay starts ")
    assert line.endswith(" ms")
    assert len(line) == WIDTH


def test_colour_takes_no_room() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    for out, colour in ((plain, False), (coloured, True)):
        with Console(out, colour=colour).step("Assay starts"):
            pass

    assert coloured.getvalue().replace("\x1b[2m", "").replace("\x1b[0m", "") == plain.getvalue()


def test_a_live_line_is_replaced_by_the_next() -> None:
    out = Terminal()
    console = Console(out, colour=False)

    console.live("one")
    console.live("two")
    console.say("done")

    assert out.getvalue().split("\r\x1b[K")[-1] == "  done\n"


def test_a_step_that_fails_leaves_no_duration() -> None:
    out = io.StringIO()

    with pytest.raises(RuntimeError), Console(out).step("Assay starts"):
        raise RuntimeError

    assert out.getvalue() == ""


def test_figures_stand_in_two_columns() -> None:
    out = io.StringIO()

    Console(out).figures([("accuracy", "0.82"), ("bias", "fail")])

    assert out.getvalue() == "     accuracy  0.82\n     bias      fail\n"


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [
        (0.0004, "0 ms"),
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (1.0, "1.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (125.4, "2 min 5 s"),
    ],
)
def test_durations_are_said_as_people_say_them(elapsed: float, said: str) -> None:
    assert seconds(elapsed) == said


def test_a_long_sentence_hangs_from_its_mark() -> None:
    out = io.StringIO()

    Console(out).bullet("word " * 40)

    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("     · word")
    assert lines[1].startswith("       word")
    assert max(len(line) for line in lines) <= WIDTH


def test_code_is_printed_as_it_is() -> None:
    out = io.StringIO()

    Console(out).code(["{", "  " + "x" * 200, "}"])

    assert out.getvalue() == f"     {{\n       {'x' * 200}\n     }}\n"
