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
    const releaseLock = tabLock()?.acquire(() => held.push('first'));
    const cancel = tabLock()?.acquire(() => held.push('second'));
    tabLock()?.acquire(() => held.push('third'));
    await vi.waitFor(() => expect(held).toEqual(['first']));
    cancel?.();
    releaseLock?.();
    await vi.waitFor(() => expect(held).toEqual(['first', 'third']));
  });

  it('is unavailable in an insecure context', () => {
    vi.stubGlobal('navigator', {});
    expect(tabLock()).toBeNull();
  });
});

describe('The channel of all tabs', () => {
  it('reaches the other tabs', async () => {
    const [one, other] = [tabChannel(), tabChannel()];
    const received: unknown[] = [];
    other?.listen((message) => received.push(message));
    one?.post({ type: 'use', protocol: 'ws' });
    await vi.waitFor(() => expect(received).toEqual([{ type: 'use', protocol: 'ws' }]));
    one?.close();
    other?.close();
  });
});
