import { ConnectionEvent } from './frames';
import { OPENING_LIMIT_MS, SILENCE_MS } from './link';
import { Decision, FeedStateMachine } from './state-machine';
import { Protocol } from './notification';

const POSITION = { epoch: 'a', seq: 5 };
const OPENED: ConnectionEvent = { type: 'opened', head: POSITION };

function stateMachineAt(protocol: Protocol): FeedStateMachine {
  return new FeedStateMachine({ protocol, position: POSITION }, 0, () => 0.5);
}

function kinds(decisions: readonly Decision[]): string[] {
  return decisions.map((each) => each.type);
}

describe('The state machine of the feed', () => {
  it('reads the head before it connects', () => {
    const machine = new FeedStateMachine({ protocol: 'sse' }, 0, () => 0.5);
    expect(machine.on({ type: 'start' }, 0)).toEqual([{ type: 'read', ticket: 1, after: null, limit: 1 }]);
    const page = { notifications: [], next: null, head: POSITION };
    expect(machine.on({ type: 'page', ticket: 1, page }, 10)).toEqual([
      { type: 'connect', connection: 1, protocol: 'sse', after: POSITION },
    ]);
  });

  it('closes a connection that does not open in time', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS))).toEqual(['close']);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS + 500);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS + 500))).toEqual(['connect']);
  });

  it('closes a WebSocket after three missed heartbeats', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 10);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'position', id: POSITION } }, 15_000);
    expect(machine.wakeAt).toBe(15_000 + SILENCE_MS);
    expect(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS - 1)).toEqual([]);
    expect(kinds(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS))).toEqual(['close']);
    expect(machine.state).toBe('waiting');
  });

  it('checks the head after silence of an EventSource', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    expect(machine.on({ type: 'tick' }, SILENCE_MS)).toEqual([{ type: 'read', ticket: 1, after: POSITION, limit: 1 }]);
    expect(machine.on({ type: 'tick' }, SILENCE_MS + 1)).toEqual([]);
    const page = { notifications: [], next: null, head: POSITION };
    expect(machine.on({ type: 'page', ticket: 1, page }, SILENCE_MS + 5)).toEqual([]);
    expect(machine.wakeAt).toBe(2 * SILENCE_MS + 5);
  });

  it('closes an EventSource that is behind the head, or whose head can not be read', () => {
    for (const answered of [true, false]) {
      const machine = stateMachineAt('sse');
      machine.on({ type: 'start' }, 0);
      machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
      machine.on({ type: 'tick' }, SILENCE_MS);
      const page = { notifications: [], next: null, head: { epoch: 'a', seq: 6 } };
      const input = answered
        ? ({ type: 'page', ticket: 1, page } as const)
        : ({ type: 'read-failed', ticket: 1 } as const);
      expect(kinds(machine.on(input, SILENCE_MS))).toEqual(['close']);
    }
  });

  it('ignores closed connections and cancelled reads', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'closed', code: 1006 } }, 1);
    expect(machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 2)).toEqual([]);
    expect(machine.on({ type: 'read-failed', ticket: 99 }, 2)).toEqual([]);
    expect(machine.state).toBe('waiting');
  });

  it('opens the other protocol before it closes the first', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    expect(machine.on({ type: 'use', protocol: 'ws' }, 100)).toEqual([
      { type: 'connect', connection: 2, protocol: 'ws', after: POSITION },
    ]);
    expect(machine.state).toBe('live');
    expect(machine.on({ type: 'connection-event', connection: 2, event: OPENED }, 200)).toEqual([
      { type: 'close', connection: 1 },
    ]);
    expect(machine.counts.reconnects).toBe(1);
  });

  it('waits for the other protocol when the first is closed', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    machine.on({ type: 'use', protocol: 'ws' }, 100);
    expect(machine.on({ type: 'connection-event', connection: 1, event: { type: 'closed', code: null } }, 150)).toEqual(
      [],
    );
    expect(machine.state).toBe('waiting');
    machine.on({ type: 'connection-event', connection: 2, event: OPENED }, 200);
    expect(machine.state).toBe('live');
    expect(machine.counts.reconnects).toBe(2);
  });

  it('keeps the connection when the switch is undone', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    machine.on({ type: 'use', protocol: 'ws' }, 100);
    expect(machine.on({ type: 'use', protocol: 'sse' }, 110)).toEqual([{ type: 'close', connection: 2 }]);
    expect(machine.state).toBe('live');
  });

  it('connects at once when the protocol is switched during back-off', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'closed', code: null } }, 1);
    expect(kinds(machine.on({ type: 'use', protocol: 'ws' }, 2))).toEqual(['connect']);
  });

  it('ignores inputs once stopped', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    expect(kinds(machine.on({ type: 'stop' }, 1))).toEqual(['close']);
    expect(machine.on({ type: 'online' }, 2)).toEqual([]);
    expect(machine.wakeAt).toBeNull();
  });
});
