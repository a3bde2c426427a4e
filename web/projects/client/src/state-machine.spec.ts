import { ConnectionEvent } from './frames.js';
import { OPENING_LIMIT_MS, SILENCE_MS } from './link.js';
import { Decision, FeedStateMachine } from './state-machine.js';
import { Protocol } from './notification.js';

const POSITION = { epoch: 'a', seq: 5 };
const OPENED: ConnectionEvent = { type: 'opened', id: POSITION, head: POSITION };

function stateMachineAt(protocol: Protocol): FeedStateMachine {
  return new FeedStateMachine({ protocol, after: POSITION }, 0, () => 0.5);
}

function kinds(decisions: readonly Decision[]): string[] {
  return decisions.map((each) => each.type);
}

describe('The state machine of the feed', () => {
  it('takes its position from the welcome', () => {
    const machine = new FeedStateMachine({ protocol: 'sse' }, 0, () => 0.5);
    const connect = { type: 'connect', connection: 1, protocol: 'sse', after: null };
    expect(machine.on({ type: 'start' }, 0)).toEqual([connect]);
    expect(machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 10)).toEqual([]);
    expect(machine.position).toEqual(POSITION);
    expect(machine.state).toBe('live');
  });

  it('closes a connection that does not open in time', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS))).toEqual(['close']);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS + 500);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS + 500))).toEqual(['connect']);
  });

  it.each(['ws', 'sse'] as const)('closes %s after three missed heartbeats', (protocol) => {
    const machine = stateMachineAt(protocol);
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 10);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'position', id: POSITION } }, 15_000);
    expect(machine.wakeAt).toBe(15_000 + SILENCE_MS);
    expect(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS - 1)).toEqual([]);
    expect(kinds(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS))).toEqual(['close']);
    expect(machine.state).toBe('waiting');
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

  it('takes the close code of a WebSocket whose bye was lost for it', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'closed', code: 4403 } }, 1);
    expect([machine.state, machine.end, machine.wakeAt]).toEqual(['ended', { reason: 'disconnected' }, null]);
  });

  it('ends when it is denied, also while another connection is open', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    machine.on({ type: 'use', protocol: 'ws' }, 1);
    const denied: ConnectionEvent = { type: 'denied', status: 403 };
    expect(kinds(machine.on({ type: 'connection-event', connection: 2, event: denied }, 2))).toEqual([
      'close',
      'close',
    ]);
    expect([machine.state, machine.end]).toEqual(['ended', { reason: 'denied', status: 403 }]);
    expect(machine.on({ type: 'tick' }, 99_000)).toEqual([]);
    expect(kinds(machine.on({ type: 'start' }, 99_000))).toEqual(['connect']);
  });

  it('connects again when its token has expired', () => {
    const machine = stateMachineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'connection-event', connection: 1, event: OPENED }, 0);
    const bye: ConnectionEvent = { type: 'bye', retryMs: 700, reason: 'token-expired' };
    machine.on({ type: 'connection-event', connection: 1, event: bye }, 1);
    machine.on({ type: 'connection-event', connection: 1, event: { type: 'closed', code: 4401 } }, 1);
    expect(machine.state).toBe('waiting');
    expect(kinds(machine.on({ type: 'tick' }, 701))).toEqual(['connect']);
  });

  it('ignores inputs once stopped', () => {
    const machine = stateMachineAt('sse');
    machine.on({ type: 'start' }, 0);
    expect(kinds(machine.on({ type: 'stop' }, 1))).toEqual(['close']);
    expect(machine.on({ type: 'online' }, 2)).toEqual([]);
    expect(machine.wakeAt).toBeNull();
  });
});
