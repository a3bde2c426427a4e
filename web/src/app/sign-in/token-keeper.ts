import { NoTokenError, RefusedError, Tokens } from './tokens';

/** Renewed so long before the end, at most; of a short-lived token, after four fifths of its lifetime. */
const MAX_AHEAD_MS = 60_000;
const AHEAD_OF_LIFETIME = 5;
/** A request has to arrive before its token expires. */
const MARGIN_MS = 2_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** Also when the issuer gives tokens that have expired already. */
const MIN_DELAY_MS = 500;
/** The longest delay of a timer: 2^31 - 1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** `unreachable`: the issuer can't be reached; the last access token may still be valid. */
export type KeeperState = 'valid' | 'unreachable' | 'ended';

/**
 * Keeps an access token valid: renews it ahead of its end, and before a request that would come too late.
 *
 * One renewal at a time: with rotation a refresh token is good for one use, and a second use ends the sign-in.
 */
export class TokenKeeper {
  state: KeeperState = 'valid';
  private renewing: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private stopped = false;

  /** @param onChange called after each renewal, successful or not. */
  constructor(
    private current: Tokens,
    private readonly refresh: (tokens: Tokens) => Promise<Tokens>,
    private readonly onChange: () => void,
  ) {
    this.schedule();
  }

  get tokens(): Tokens {
    return this.current;
  }

  /**
   * An access token for a request.
   *
   * @throws NoTokenError there is none at the moment.
   */
  async token(): Promise<string> {
    if (this.remainingMs() < this.marginMs()) await this.renew();
    if (this.remainingMs() > 0 && this.state !== 'ended') return this.current.access;
    throw new NoTokenError(this.state === 'unreachable' ? 'unreachable' : 'ended');
  }

  /**
   * An access token in place of *refused*, which a service did not accept.
   *
   * @throws NoTokenError there is none.
   */
  async replacement(refused: string): Promise<string> {
    if (this.current.access === refused) await this.renew();
    if (this.current.access === refused) {
      throw new NoTokenError(this.state === 'unreachable' ? 'unreachable' : 'ended');
    }
    return this.token();
  }

  /** Continue with the tokens of another sign-in of the same person. */
  replace(tokens: Tokens): void {
    this.accept(tokens);
    this.onChange();
  }

  /** Try again now, if the issuer could not be reached. */
  retry(): void {
    if (this.state === 'unreachable') void this.renew();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private renew(): Promise<void> {
    this.renewing ??= this.attempt().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async attempt(): Promise<void> {
    const before = this.current;
    if (this.stopped || this.state === 'ended') return;
    if (before.refresh === null) return this.end();
    try {
      const renewed = await this.refresh(before);
      if (this.current !== before || this.stopped) return;
      this.accept(renewed);
    } catch (error) {
      if (this.current !== before || this.stopped) return;
      if (error instanceof RefusedError) return this.end();
      this.state = 'unreachable';
      this.failures++;
      this.schedule();
    }
    this.onChange();
  }

  private accept(tokens: Tokens): void {
    this.current = tokens;
    this.state = 'valid';
    this.failures = 0;
    this.schedule();
  }

  private end(): void {
    clearTimeout(this.timer);
    this.state = 'ended';
    this.onChange();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.renew(), Math.min(MAX_TIMER_MS, Math.max(MIN_DELAY_MS, this.delayMs())));
  }

  private delayMs(): number {
    if (this.failures > 0) return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
    const { refresh, lifetimeMs } = this.current;
    const aheadMs = refresh === null ? 0 : Math.min(MAX_AHEAD_MS, lifetimeMs / AHEAD_OF_LIFETIME);
    return this.remainingMs() - aheadMs;
  }

  private remainingMs(): number {
    return this.current.expiresAt - Date.now();
  }

  private marginMs(): number {
    const { refresh, lifetimeMs } = this.current;
    return refresh === null ? 0 : Math.min(MARGIN_MS, lifetimeMs / AHEAD_OF_LIFETIME);
  }
}
