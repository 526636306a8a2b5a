"""Each port is given once: companies that start at the same time have bots of their own."""

import subprocess
import sys

import pytest

from tests import ports


def test_a_port_is_given_once_though_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    [given] = ports.free_ports(1)
    monkeypatch.setattr(ports, "PORTS", range(given, given + 1))
    with pytest.raises(AssertionError, match="no port is left"):
        ports.free_ports(1)


def test_another_process_is_given_another_port() -> None:
    [given] = ports.free_ports(1)
    asks = f"from tests import ports; ports.PORTS = [{given}, *ports.PORTS[:50]]; print(ports.free_ports(1))"
    ran = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert ran.stdout != f"[{given}]\n"
