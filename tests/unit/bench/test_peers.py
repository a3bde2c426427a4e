from __future__ import annotations

from pathlib import Path

import pytest

from bench.push.peer_servers import message
from bench.push.peer_servers.nchan import module_of
from bench.push.peer_servers.unavailable import UnavailableError, require_packages


@pytest.mark.parametrize("text", [message.data, message.ws_text, lambda number: message.sse_block(number).decode()])
def test_number_stands_once_in_each_message(text: message.Text) -> None:
    pushed = text(message.FIRST).encode()

    assert pushed.count(message.NUMBER_AFTER) == 1
    assert pushed.partition(message.NUMBER_AFTER)[2].startswith(b"%d," % message.FIRST)


def test_messages_of_a_run_are_all_of_one_size() -> None:
    assert len(message.data(message.FIRST)) == len(message.data(message.FIRST + 1_000_000))


def test_nginx_without_nchan_says_how_to_get_it(tmp_path: Path) -> None:
    build = f"configure arguments: --with-threads --modules-path={tmp_path} --user=nobody".encode()

    with pytest.raises(UnavailableError, match="libnginx-mod-nchan"):
        module_of(build)
    (tmp_path / "ngx_nchan_module.so").touch()
    assert module_of(build).parent == tmp_path


def test_peer_without_its_package_names_it() -> None:
    with pytest.raises(UnavailableError, match="no_such_package"):
        require_packages(["asyncio", "no_such_package"])
