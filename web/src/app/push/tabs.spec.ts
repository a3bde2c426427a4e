import { tabChannel, tabLock } from './tabs';

type Grant = () => Promise<void>;

/** As much of Web Locks as is used: one holder, the others wait in turn. */
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
    const letGo = tabLock()?.acquire(() => held.push('first'));
    const giveUp = tabLock()?.acquire(() => held.push('second'));
    tabLock()?.acquire(() => held.push('third'));
    await vi.waitFor(() => expect(held).toEqual(['first']));
    giveUp?.();
    letGo?.();
    await vi.waitFor(() => expect(held).toEqual(['first', 'third']));
  });

  it('is not there in a page that was not loaded safely', () => {
    vi.stubGlobal('navigator', {});
    expect(tabLock()).toBeNull();
  });
});

describe('The channel of all tabs', () => {
  it('is heard by the others', async () => {
    const [one, other] = [tabChannel(), tabChannel()];
    const heard: unknown[] = [];
    other?.listen((message) => heard.push(message));
    one?.post({ type: 'use', protocol: 'ws' });
    await vi.waitFor(() => expect(heard).toEqual([{ type: 'use', protocol: 'ws' }]));
    one?.close();
    other?.close();
  });
});
