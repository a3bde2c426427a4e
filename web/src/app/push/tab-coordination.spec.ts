import { tabChannel, tabLock } from './tab-coordination';

type Grant = () => Promise<void>;

/** The used part of Web Locks: one holder, the others wait in turn. */
class FakeLocks {
  private readonly waiting: (() => void)[] = [];
  private held = false;

  async request(_: string, { signal }: { signal: AbortSignal }, grant: Grant): Promise<void> {
    if (this.held) {
      await new Promise<void>((resolve, reject) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => {
          this.waiting.splice(this.waiting.indexOf(resolve), 1);
          reject(new DOMException('', 'AbortError'));
        });
      });
    }
    this.held = true;
    await grant();
    this.held = false;
    this.waiting.shift()?.();
  }
}

describe('The lock of all tabs', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is held by one at a time, in turn', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    const held: string[] = [];
    const releaseLock = tabLock('a')?.acquire(() => held.push('first'));
    const cancel = tabLock('a')?.acquire(() => held.push('second'));
    tabLock('a')?.acquire(() => held.push('third'));
    await vi.waitFor(() => expect(held).toEqual(['first']));
    cancel?.();
    releaseLock?.();
    await vi.waitFor(() => expect(held).toEqual(['first', 'third']));
  });

  it('is unavailable in an insecure context', () => {
    vi.stubGlobal('navigator', {});
    expect(tabLock('a')).toBeNull();
  });
});

describe('The channel of all tabs', () => {
  it('reaches the other tabs', async () => {
    const [one, other] = [tabChannel('a'), tabChannel('a')];
    const received: unknown[] = [];
    other?.listen((message) => received.push(message));
    one?.post({ type: 'use', protocol: 'ws' });
    await vi.waitFor(() => expect(received).toEqual([{ type: 'use', protocol: 'ws' }]));
    one?.close();
    other?.close();
  });

  it('does not reach those of another name', async () => {
    const [one, other, stranger] = [tabChannel('a'), tabChannel('a'), tabChannel('b')];
    const received: unknown[] = [];
    stranger?.listen((message) => received.push(message));
    const reached = new Promise<void>((resolve) => other?.listen(() => resolve()));
    one?.post({ type: 'hello' });
    await reached;
    expect(received).toEqual([]);
    for (const each of [one, other, stranger]) each?.close();
  });
});
