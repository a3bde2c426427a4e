from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from service_common.http_client import CircuitPolicy
from service_common.http_client.circuit_breaker import CircuitBreaker, CircuitState

POLICY = CircuitPolicy(window=10, minimum=4, failure_ratio=0.5, open_s=1.0, probes=2)


def after(*healthy: bool, circuit: CircuitBreaker | None = None, now_s: float = 0.0) -> CircuitBreaker:
    circuit = circuit or CircuitBreaker(POLICY)
    for each in healthy:
        circuit, permit = circuit.admit(now_s)
        assert permit is not None
        circuit = circuit.record(permit, now_s, healthy=each)
    return circuit


def opened(now_s: float = 0.0) -> CircuitBreaker:
    return after(*[False] * POLICY.minimum, now_s=now_s)


def probing(probes: int) -> tuple[CircuitBreaker, int]:
    circuit, permit = opened().admit(1.0)
    assert permit is not None
    for _ in range(probes - 1):
        circuit, another = circuit.admit(1.0)
        assert another == permit
    return circuit, permit


def test_circuit_stays_closed_below_the_minimum_of_attempts() -> None:
    assert after(False, False, False).state is CircuitState.CLOSED
    assert after(False, False, False, False).state is CircuitState.OPEN


def test_circuit_opens_when_half_of_the_window_failed() -> None:
    circuit = after(*[True] * 6, *[False] * 4)
    assert circuit.state is CircuitState.CLOSED
    assert after(False, circuit=circuit).state is CircuitState.OPEN


def test_failures_that_left_the_window_are_forgotten() -> None:
    circuit = after(True, True, True, False, False, *[True] * 10)
    assert circuit.failures == 0
    assert after(*[False] * 4, circuit=circuit).state is CircuitState.CLOSED


def test_healthy_circuit_never_changes() -> None:
    circuit = after(*[True] * POLICY.window)
    assert after(True, circuit=circuit) is circuit


def test_open_circuit_admits_nothing_until_its_time_is_over() -> None:
    circuit = opened(now_s=5.0)
    assert circuit.admit(5.99) == (circuit, None)
    assert circuit.wait_s(5.25) == 0.75
    assert circuit.admit(6.0)[0].state is CircuitState.HALF_OPEN


def test_half_open_circuit_admits_only_its_probes() -> None:
    circuit, _ = probing(POLICY.probes)
    assert circuit.admit(1.0) == (circuit, None)
    assert circuit.wait_s(1.0) > 0


def test_failed_probe_opens_the_circuit_for_the_whole_time_again() -> None:
    circuit, permit = probing(1)
    circuit = circuit.record(permit, 1.5, healthy=False)
    assert circuit.state is CircuitState.OPEN
    assert circuit.wait_s(1.5) == POLICY.open_s


def test_enough_successful_probes_close_the_circuit() -> None:
    circuit, permit = probing(1)
    circuit = circuit.record(permit, 1.1, healthy=True)
    assert circuit.state is CircuitState.HALF_OPEN
    assert after(True, circuit=circuit, now_s=1.2).state is CircuitState.CLOSED


def test_cancelled_probe_gives_its_permit_back() -> None:
    circuit, permit = probing(POLICY.probes)
    circuit = circuit.release(permit)
    assert circuit.state is CircuitState.HALF_OPEN
    assert circuit.admit(1.0)[1] is not None


def test_cancelled_attempt_of_a_closed_circuit_is_neutral() -> None:
    circuit = after(True, False)
    assert circuit.release(circuit.generation) is circuit


def test_result_of_an_attempt_from_before_the_opening_is_ignored() -> None:
    before = CircuitBreaker(POLICY).generation
    circuit, _ = probing(1)
    assert circuit.record(before, 1.1, healthy=False) is circuit
    assert circuit.record(before, 1.1, healthy=True) is circuit
    assert circuit.release(before) is circuit


class AnyUse(RuleBasedStateMachine):
    """Under any sequence of attempts the number of permits is right and the circuit can close again."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = CircuitBreaker(POLICY)
        self.now_s = 0.0
        self.out: list[int] = []

    @rule(seconds=st.floats(0, 2))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def attempt_asks(self) -> None:
        self.circuit, permit = self.circuit.admit(self.now_s)
        if permit is not None:
            self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), healthy=st.booleans())
    def attempt_ends(self, data: st.DataObject, healthy: bool) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.circuit = self.circuit.record(permit, self.now_s, healthy=healthy)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def attempt_is_cancelled(self, data: st.DataObject) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.circuit = self.circuit.release(permit)

    @invariant()
    def probes_out_are_those_counted(self) -> None:
        expected = self.out.count(self.circuit.generation) if self.circuit.state is CircuitState.HALF_OPEN else 0
        assert self.circuit.probing == expected <= POLICY.probes

    @invariant()
    def window_is_bounded(self) -> None:
        assert self.circuit.failures < 1 << POLICY.window
        assert self.circuit.failures.bit_count() <= self.circuit.seen <= POLICY.window

    def teardown(self) -> None:
        for permit in self.out:
            self.circuit = self.circuit.release(permit)
        healed = after(*[True] * POLICY.probes, circuit=self.circuit, now_s=self.now_s + POLICY.open_s)
        assert healed.state is CircuitState.CLOSED


test_permits_balance_under_any_use = AnyUse.TestCase
