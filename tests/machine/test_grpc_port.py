"""A console whose usual gRPC port is taken starts without gRPC; one that was told the port refuses, in words."""

import contextlib
import socket
from pathlib import Path

import pytest

from fastloop_console.machine import env, ports, up
from fastloop_console.machine.refusals import CannotStart


def test_the_port_is_out_of_the_way_of_a_second_consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREDICTOR_GRPC_PORT", raising=False)
    monkeypatch.setenv("PREDICTOR_PORT", "8080")
    assert env.predictor_grpc_port() == 9080 and not env.predictor_grpc_said()
    monkeypatch.setenv("PREDICTOR_PORT", "65000")
    assert env.predictor_grpc_port() == 65_535
    monkeypatch.setenv("PREDICTOR_GRPC_PORT", "0")
    assert env.predictor_grpc_port() == 0 and env.predictor_grpc_said()


@pytest.mark.parametrize("said", [True, False])
def test_only_a_port_that_was_said_keeps_it_from_starting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: bool
) -> None:
    web, rest = ports.free_ports(2)
    monkeypatch.setenv("FASTLOOP_HOME", str(tmp_path))
    monkeypatch.setenv("PORT", str(web))
    monkeypatch.setenv("PREDICTOR_PORT", str(rest))
    monkeypatch.delenv("PREDICTOR_GRPC_PORT", raising=False)
    monkeypatch.setattr(up, "_end_leftovers", lambda: None)
    monkeypatch.setattr(up, "_run", lambda began, own_servers: 7)
    monkeypatch.setattr(up.embedded, "running", lambda home: contextlib.nullcontext())
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", rest + 1_000))
        holder.listen(1)
        if not said:
            assert up.main() == 7
            return
        monkeypatch.setenv("PREDICTOR_GRPC_PORT", str(rest + 1_000))
        with pytest.raises(CannotStart, match="set PREDICTOR_GRPC_PORT to another port"):
            up.main()
