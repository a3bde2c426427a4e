"""The command line of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderstream_local.command_line import parse


def test_options_are_read() -> None:
    options = parse(
        ["demo", "--once", "--data", "/data", "--fresh", "--scale", "notification=3", "--scale", "order-service=2"]
    )
    assert (options.once, options.data, options.fresh) == (True, Path("/data"), True)
    assert options.scale == {"notification": 3, "order": 2}


@pytest.mark.parametrize(
    "arguments",
    [["demo", "--scale", "postgres=2"], ["demo", "--scale", "order=0"], ["demo", "--scale", "order"], ["dance"], []],
)
def test_invalid_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert "usage: ./run" in capsys.readouterr().err
