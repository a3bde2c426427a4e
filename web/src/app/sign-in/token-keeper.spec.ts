import { TokenKeeper } from './token-keeper';
import { NoTokenError, RefusedError, Tokens } from './tokens';

const LIFETIME_MS = 300_000;

function tokens(number: number, lifetimeMs = LIFETIME_MS): Tokens {
  const name = number.toString();
  return { access: name, refresh: `r${name}`, identity: null, expiresAt: Date.now() + lifetimeMs, lifetimeMs };
}

describe('The keeper of a token', () => {
  let issued: number;
  let used: (string | null)[];
  let answer: () => Promise<void>;
  let changes: number;
  let keeper: TokenKeeper;

  const keep = (first: Tokens): TokenKeeper =>
    (keeper = new TokenKeeper(
      first,
      async ({ refresh }) => {
        used.push(refresh);
        await answer();
        return tokens(++issued, first.lifetimeMs);
      },
      () => changes++,
    ));

  beforeEach(() => {
    vi.useFakeTimers();
    [issued, used, changes] = [1, [], 0];
    answer = () => Promise.resolve();
  });

  afterEach(() => {
    keeper.stop();
    vi.useRealTimers();
  });

  it('gives the token until shortly before its end, then the next one', async () => {
    keep(tokens(1));
    expect(await keeper.token()).toBe('1');
    await vi.advanceTimersByTimeAsync(LIFETIME_MS - 61_000);
    expect(await keeper.token()).toBe('1');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await keeper.token()).toBe('2');
    expect(used).toEqual(['r1']);
  });

  it('renews for ever, each refresh token once', async () => {
    keep(tokens(1, 5_000));
    await vi.advanceTimersByTimeAsync(20_500);
    expect(used).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  });

  it('renews once for all that need it at the same time', async () => {
    keep(tokens(1));
    vi.setSystemTime(Date.now() + 2 * LIFETIME_MS); // the machine slept: no timer has run
    expect(await Promise.all([keeper.token(), keeper.token(), keeper.replacement('1')])).toEqual(['2', '2', '2']);
    expect(used).toEqual(['r1']);
  });

  it('replaces a refused token once, and no newer one', async () => {
    keep(tokens(1));
    expect(await keeper.replacement('1')).toBe('2');
    expect(await keeper.replacement('1')).toBe('2');
    expect(used).toEqual(['r1']);
  });

  it('gives the token on while the issuer is away, says so when it ends, and recovers', async () => {
    answer = () => Promise.reject(new TypeError('Failed to fetch'));
    keep(tokens(1));
    await vi.advanceTimersByTimeAsync(LIFETIME_MS - 10_000);
    expect(keeper.state).toBe('unreachable');
    expect(await keeper.token()).toBe('1');
    await vi.advanceTimersByTimeAsync(20_000);
    await expect(keeper.token()).rejects.toEqual(new NoTokenError('unreachable'));
    expect(changes).toBeGreaterThan(1);
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(keeper.state).toBe('valid');
    expect(await keeper.token()).toBe('2');
  });

  it('asks an issuer that is away less and less often', async () => {
    answer = () => Promise.reject(new TypeError('Failed to fetch'));
    keep(tokens(1));
    await vi.advanceTimersByTimeAsync(LIFETIME_MS - 60_000 + 300_000);
    expect(used.length).toBeGreaterThan(10);
    expect(used.length).toBeLessThan(16);
  });

  it('ends when the issuer refuses, and asks no more', async () => {
    answer = () => Promise.reject(new RefusedError('invalid_grant'));
    keep(tokens(1));
    await vi.advanceTimersByTimeAsync(10 * LIFETIME_MS);
    expect(keeper.state).toBe('ended');
    await expect(keeper.token()).rejects.toEqual(new NoTokenError('ended'));
    await expect(keeper.replacement('1')).rejects.toEqual(new NoTokenError('ended'));
    expect(used).toEqual(['r1']);
  });

  it('continues with the tokens of another sign-in', async () => {
    answer = () => Promise.reject(new RefusedError('invalid_grant'));
    keep(tokens(1));
    await vi.advanceTimersByTimeAsync(10 * LIFETIME_MS);
    answer = () => Promise.resolve();
    keeper.replace(tokens(7));
    expect(await keeper.token()).toBe('7');
    await vi.advanceTimersByTimeAsync(LIFETIME_MS);
    expect(used).toEqual(['r1', 'r7']);
  });

  it('ignores the answer to a renewal that another sign-in has overtaken', async () => {
    let refuse: (error: unknown) => void = () => undefined;
    answer = () => new Promise((_, reject) => (refuse = reject));
    keep(tokens(1));
    const pending = keeper.replacement('1');
    keeper.replace(tokens(7));
    refuse(new RefusedError('invalid_grant'));
    expect(await pending).toBe('7');
    expect(keeper.state).toBe('valid');
  });

  it('uses a token without a refresh token to its end', async () => {
    keep({ ...tokens(1), refresh: null });
    await vi.advanceTimersByTimeAsync(LIFETIME_MS - 100);
    expect(await keeper.token()).toBe('1');
    await vi.advanceTimersByTimeAsync(600);
    expect(keeper.state).toBe('ended');
    expect(used).toEqual([]);
  });

  it('does not spin when the issuer gives expired tokens', async () => {
    keep(tokens(1, 0));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(used.length).toBeLessThanOrEqual(20);
  });

  it('does nothing once stopped', async () => {
    keep(tokens(1));
    keeper.stop();
    await vi.advanceTimersByTimeAsync(2 * LIFETIME_MS);
    expect(used).toEqual([]);
    expect(changes).toBe(0);
  });
});
