import { browserWorld } from './browser-world';
import { Heard } from './frames';
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

describe('The world of a browser', () => {
  const world = browserWorld((path) => new URL(`https://shop.example/api${path}`));
  let heard: Heard[];
  const tell = (each: Heard): unknown => heard.push(each);

  beforeEach(() => {
    heard = [];
    vi.stubGlobal('EventSource', FakeSource);
    vi.stubGlobal('WebSocket', FakeSocket);
  });

  afterEach(() => vi.unstubAllGlobals());

  it('has streams that go on after an id, and do not come back by themselves', () => {
    world.open('sse', 'a-7', tell);
    const source = FakeSource.last!;
    expect(source.url.href).toBe('https://shop.example/api/stream?lastEventId=a-7');
    source.onopen?.();
    source.onmessage?.({ data: JSON.stringify(NOTIFICATION), lastEventId: 'a-8' });
    source.dispatchEvent(new MessageEvent('reset', { data: '{}', lastEventId: 'a-9' }));
    source.onerror?.();
    expect(heard.map((each) => each.type)).toEqual(['opened', 'event', 'reset', 'closed']);
    expect(source.closed).toBe(true);
  });

  it('has sockets that go on after an id', () => {
    world.open('ws', 'a-7', tell);
    const socket = FakeSocket.last!;
    expect(socket.url.href).toBe('wss://shop.example/api/ws?lastEventId=a-7');
    socket.onmessage?.({ data: '{"type":"welcome","id":"a-7","head":"a-8","resumed":true}' });
    socket.onmessage?.({ data: JSON.stringify({ type: 'event', id: 'a-8', data: NOTIFICATION }) });
    socket.onmessage?.({ data: '{"type":"error","detail":""}' });
    socket.onmessage?.({ data: new Blob() });
    socket.onclose?.({ code: 1012 });
    expect(heard.map((each) => each.type)).toEqual(['opened', 'event', 'malformed', 'closed']);
    expect(heard.at(-1)).toEqual({ type: 'closed', code: 1012 });
  });

  it('hears nothing of a socket that it has closed', () => {
    world.open('ws', 'a-7', tell)();
    expect(FakeSocket.last).toMatchObject({ closed: true, onclose: null, onmessage: null });
  });

  it('takes a browser that has no such thing for a service that does not answer', async () => {
    vi.stubGlobal('EventSource', undefined);
    world.open('sse', 'a-7', tell);
    expect(heard).toEqual([]);
    await vi.waitFor(() => expect(heard).toEqual([{ type: 'closed', code: null }]));
  });

  it('reads the history, and no other answer', async () => {
    const asked: string[] = [];
    let status = 200;
    vi.stubGlobal('fetch', (url: URL) => {
      asked.push(url.href);
      return Promise.resolve(new Response('{"head":"a-8"}', { status }));
    });
    expect(await world.read('a-7', 200)).toEqual({ head: 'a-8' });
    expect(asked).toEqual(['https://shop.example/api/notifications?limit=200&after=a-7']);
    status = 503;
    await expect(world.read(null, 1)).rejects.toThrow('503');
  });

  it('has a clock that is right after the machine slept', () => {
    const before = world.now();
    expect(Math.abs(before - Date.now())).toBeLessThan(1000);
    const wall = vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
    expect(world.now()).toBe(before + 3_600_000);
    wall.mockRestore();
    expect(Math.abs(world.now() - Date.now())).toBeLessThan(1000);
  });
});
