import { Heard } from './frames';
import { OPENING_LIMIT_MS, SILENCE_MS } from './link';
import { Decision, FeedMachine } from './machine';
import { Protocol } from './notification';

const POSITION = { epoch: 'a', seq: 5 };
const OPENED: Heard = { type: 'opened', head: POSITION };

function machineAt(protocol: Protocol): FeedMachine {
  return new FeedMachine({ protocol, position: POSITION }, 0, () => 0.5);
}

function kinds(decisions: readonly Decision[]): string[] {
  return decisions.map((each) => each.type);
}

describe('The machine of the feed', () => {
  it('asks where the feed is before it connects', () => {
    const machine = new FeedMachine({ protocol: 'sse' }, 0, () => 0.5);
    expect(machine.on({ type: 'start' }, 0)).toEqual([{ type: 'read', ticket: 1, after: null, limit: 1 }]);
    const page = { notifications: [], next: null, head: POSITION };
    expect(machine.on({ type: 'page', ticket: 1, page }, 10)).toEqual([
      { type: 'connect', connection: 1, protocol: 'sse', after: POSITION },
    ]);
  });

  it('gives a connection a bounded time to open', () => {
    const machine = machineAt('ws');
    machine.on({ type: 'start' }, 0);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS))).toEqual(['close']);
    expect(machine.wakeAt).toBe(OPENING_LIMIT_MS + 500);
    expect(kinds(machine.on({ type: 'tick' }, OPENING_LIMIT_MS + 500))).toEqual(['connect']);
  });

  it('takes three heartbeats of silence for the end of a WebSocket', () => {
    const machine = machineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: OPENED }, 10);
    machine.on({ type: 'heard', connection: 1, heard: { type: 'position', id: POSITION } }, 15_000);
    expect(machine.wakeAt).toBe(15_000 + SILENCE_MS);
    expect(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS - 1)).toEqual([]);
    expect(kinds(machine.on({ type: 'tick' }, 15_000 + SILENCE_MS))).toEqual(['close']);
    expect(machine.state).toBe('waiting');
  });

  it('asks whether the silence of an EventSource is right', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: OPENED }, 0);
    expect(machine.on({ type: 'tick' }, SILENCE_MS)).toEqual([{ type: 'read', ticket: 1, after: POSITION, limit: 1 }]);
    expect(machine.on({ type: 'tick' }, SILENCE_MS + 1)).toEqual([]);
    const page = { notifications: [], next: null, head: POSITION };
    expect(machine.on({ type: 'page', ticket: 1, page }, SILENCE_MS + 5)).toEqual([]);
    expect(machine.wakeAt).toBe(2 * SILENCE_MS + 5);
  });

  it('ends an EventSource that kept silent about something, or whose service can not be asked', () => {
    for (const answered of [true, false]) {
      const machine = machineAt('sse');
      machine.on({ type: 'start' }, 0);
      machine.on({ type: 'heard', connection: 1, heard: OPENED }, 0);
      machine.on({ type: 'tick' }, SILENCE_MS);
      const page = { notifications: [], next: null, head: { epoch: 'a', seq: 6 } };
      const input = answered ? ({ type: 'page', ticket: 1, page } as const) : ({ type: 'unread', ticket: 1 } as const);
      expect(kinds(machine.on(input, SILENCE_MS))).toEqual(['close']);
    }
  });

  it('has no ear for connections and answers that it gave up', () => {
    const machine = machineAt('ws');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: { type: 'closed', code: 1006 } }, 1);
    expect(machine.on({ type: 'heard', connection: 1, heard: OPENED }, 2)).toEqual([]);
    expect(machine.on({ type: 'unread', ticket: 99 }, 2)).toEqual([]);
    expect(machine.state).toBe('waiting');
  });

  it('opens the other protocol beside the first, and ends the first when the other is there', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: OPENED }, 0);
    expect(machine.on({ type: 'use', protocol: 'ws' }, 100)).toEqual([
      { type: 'connect', connection: 2, protocol: 'ws', after: POSITION },
    ]);
    expect(machine.state).toBe('live');
    expect(machine.on({ type: 'heard', connection: 2, heard: OPENED }, 200)).toEqual([
      { type: 'close', connection: 1 },
    ]);
    expect(machine.counts.reconnects).toBe(1);
  });

  it('waits for the other protocol when the first ends meanwhile', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: OPENED }, 0);
    machine.on({ type: 'use', protocol: 'ws' }, 100);
    expect(machine.on({ type: 'heard', connection: 1, heard: { type: 'closed', code: null } }, 150)).toEqual([]);
    expect(machine.state).toBe('waiting');
    machine.on({ type: 'heard', connection: 2, heard: OPENED }, 200);
    expect(machine.state).toBe('live');
    expect(machine.counts.reconnects).toBe(2);
  });

  it('does not leave what works for a wish that is taken back', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: OPENED }, 0);
    machine.on({ type: 'use', protocol: 'ws' }, 100);
    expect(machine.on({ type: 'use', protocol: 'sse' }, 110)).toEqual([{ type: 'close', connection: 2 }]);
    expect(machine.state).toBe('live');
  });

  it('connects at once when the user chooses while it waits', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    machine.on({ type: 'heard', connection: 1, heard: { type: 'closed', code: null } }, 1);
    expect(kinds(machine.on({ type: 'use', protocol: 'ws' }, 2))).toEqual(['connect']);
  });

  it('does nothing any more once it is stopped', () => {
    const machine = machineAt('sse');
    machine.on({ type: 'start' }, 0);
    expect(kinds(machine.on({ type: 'stop' }, 1))).toEqual(['close']);
    expect(machine.on({ type: 'online' }, 2)).toEqual([]);
    expect(machine.wakeAt).toBeNull();
  });
});
