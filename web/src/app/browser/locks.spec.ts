import { LockEvents, tabLock } from '.';

interface Request {
  readonly grant: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The used part of Web Locks: one holder, the others wait in turn. */
class FakeLocks {
  private readonly waiting: Request[] = [];
  private holder: Request | null = null;

  request(_: string, { signal, steal }: LockOptions, grant: () => Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const request = { grant, resolve, reject };
      signal?.addEventListener('abort', () => {
        if (!this.waiting.includes(request)) return;
        this.waiting.splice(this.waiting.indexOf(request), 1);
        reject(new DOMException('', 'AbortError'));
      });
      if (steal) {
        this.holder?.reject(new DOMException('', 'AbortError'));
        this.hold(request);
      } else if (this.holder === null) this.hold(request);
      else this.waiting.push(request);
    });
  }

  private hold(request: Request): void {
    this.holder = request;
    void request.grant().then(() => {
      request.resolve();
      if (this.holder !== request) return;
      this.holder = null;
      const next = this.waiting.shift();
      if (next !== undefined) this.hold(next);
    });
  }
}

describe('The lock of all tabs', () => {
  let happened: string[];

  const events = (name: string): LockEvents => ({
    held: () => happened.push(`${name} held`),
    lost: () => happened.push(`${name} lost`),
    denied: () => happened.push(`${name} denied`),
  });

  beforeEach(() => {
    happened = [];
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is held by one at a time, in turn', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    const releaseLock = tabLock('a').acquire(events('first'));
    const cancel = tabLock('a').acquire(events('second'));
    tabLock('a').acquire(events('third'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    cancel();
    releaseLock();
    await vi.waitFor(() => expect(happened).toEqual(['first held', 'third held']));
  });

  it('is taken away from its holder, who hears of it', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    tabLock('a').acquire(events('first'));
    tabLock('a').acquire(events('waiting'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    const releaseLock = tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect([...happened].sort()).toEqual(['first held', 'first lost', 'thief held']));
    releaseLock();
    await vi.waitFor(() => expect(happened.at(-1)).toBe('waiting held'));
  });

  it('is not said to be held when it is lost again at once', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    tabLock('a').acquire(events('first'));
    tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect(happened).toEqual(['first lost', 'thief held']));
  });

  it('says nothing of what it gave back before', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    const releaseLock = tabLock('a').acquire(events('first'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    releaseLock();
    tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect(happened).toEqual(['first held', 'thief held']));
  });

  it.each([
    ['in an insecure context', {}],
    [
      'where site data are blocked',
      { locks: { request: () => Promise.reject(new DOMException('', 'SecurityError')) } },
    ],
  ])('is denied %s', async (_, navigator) => {
    vi.stubGlobal('navigator', navigator);
    tabLock('a').acquire(events('first'));
    await vi.waitFor(() => expect(happened).toEqual(['first denied']));
  });
});
