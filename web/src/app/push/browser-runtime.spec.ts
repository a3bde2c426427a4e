import { browserRuntime } from './browser-runtime';
import { ConnectionEvent } from './frames';
import { notificationAt } from './testing/notifications';

const ID = { epoch: 'a', seq: 8 };
const NOTIFICATION = notificationAt(ID);

class FakeSource extends EventTarget {
  static last: FakeSource | null = null;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string; lastEventId: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: URL) {
    super();
    FakeSource.last = this;
  }

  close(): void {
    this.closed = true;
  }
}

class FakeSocket {
  static last: FakeSocket | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;

  constructor(readonly url: URL) {
    FakeSocket.last = this;
  }

  close(): void {
    this.closed = true;
  }
}

describe('The runtime of a browser', () => {
  const runtime = browserRuntime((path) => new URL(`https://shop.example/api${path}`));
  let received: ConnectionEvent[];
  const onEvent = (each: ConnectionEvent): unknown => received.push(each);

  beforeEach(() => {
    received = [];
    vi.stubGlobal('EventSource', FakeSource);
    vi.stubGlobal('WebSocket', FakeSocket);
  });

  afterEach(() => vi.unstubAllGlobals());

  it('opens streams that resume after an id and do not reconnect by themselves', () => {
    runtime.open('sse', 'a-7', onEvent);
    const source = FakeSource.last!;
    expect(source.url.href).toBe('https://shop.example/api/stream?lastEventId=a-7');
    source.onopen?.();
    source.onmessage?.({ data: JSON.stringify(NOTIFICATION), lastEventId: 'a-8' });
    source.dispatchEvent(new MessageEvent('reset', { data: '{}', lastEventId: 'a-9' }));
    source.onerror?.();
    expect(received.map((each) => each.type)).toEqual(['opened', 'event', 'reset', 'closed']);
    expect(source.closed).toBe(true);
  });

  it('opens sockets that resume after an id', () => {
    runtime.open('ws', 'a-7', onEvent);
    const socket = FakeSocket.last!;
    expect(socket.url.href).toBe('wss://shop.example/api/ws?lastEventId=a-7');
    socket.onmessage?.({ data: '{"type":"welcome","id":"a-7","head":"a-8","resumed":true}' });
    socket.onmessage?.({ data: JSON.stringify({ type: 'event', id: 'a-8', data: NOTIFICATION }) });
    socket.onmessage?.({ data: '{"type":"error","detail":""}' });
    socket.onmessage?.({ data: new Blob() });
    socket.onclose?.({ code: 1012 });
    expect(received.map((each) => each.type)).toEqual(['opened', 'event', 'malformed', 'closed']);
    expect(received.at(-1)).toEqual({ type: 'closed', code: 1012 });
  });

  it('ignores events of a closed socket', () => {
    runtime.open('ws', 'a-7', onEvent)();
    expect(FakeSocket.last).toMatchObject({ closed: true, onclose: null, onmessage: null });
  });

  it('reports an unsupported protocol as closed', async () => {
    vi.stubGlobal('EventSource', undefined);
    runtime.open('sse', 'a-7', onEvent);
    expect(received).toEqual([]);
    await vi.waitFor(() => expect(received).toEqual([{ type: 'closed', code: null }]));
  });

  it('reads the history and rejects error statuses', async () => {
    const asked: string[] = [];
    let status = 200;
    vi.stubGlobal('fetch', (url: URL) => {
      asked.push(url.href);
      return Promise.resolve(new Response('{"head":"a-8"}', { status }));
    });
    expect(await runtime.read('a-7', 200)).toEqual({ head: 'a-8' });
    expect(asked).toEqual(['https://shop.example/api/notifications?limit=200&after=a-7']);
    status = 503;
    await expect(runtime.read(null, 1)).rejects.toThrow('503');
  });

  it('corrects its clock after the machine slept', () => {
    const before = runtime.now();
    expect(Math.abs(before - Date.now())).toBeLessThan(1000);
    const wall = vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
    expect(runtime.now()).toBe(before + 3_600_000);
    wall.mockRestore();
    expect(Math.abs(runtime.now() - Date.now())).toBeLessThan(1000);
  });
});
