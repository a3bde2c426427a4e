/** The tokens of one sign-in. */
export interface Tokens {
  readonly access: string;
  /** Null when the issuer gave none: then the sign-in ends with the access token. */
  readonly refresh: string | null;
  /** The ID token, for the sign-out. */
  readonly identity: string | null;
  /** When the access token expires, and its lifetime at first; in milliseconds, by this machine's clock. */
  readonly expiresAt: number;
  readonly lifetimeMs: number;
}

/** A request to sign in, until the issuer's answer. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  /** The code verifier of PKCE (RFC 7636). */
  readonly verifier: string;
  /** The path and query to return to, relative to the base URL of the page. */
  readonly returnTo: string;
}

/** The tokens of a sign-in, with the claims of its ID token. */
export interface SignedIn {
  readonly tokens: Tokens;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The issuer, as the sign-in needs it. */
export interface Issuer {
  /** A new attempt, and the URL to send the browser to. */
  begin(returnTo: string, anotherPerson: boolean): Promise<{ readonly attempt: Attempt; readonly url: string }>;
  /** Exchange the answer to *attempt*, the query of the URL that the issuer redirected to. */
  redeem(attempt: Attempt, answer: URLSearchParams): Promise<SignedIn>;
  refresh(tokens: Tokens): Promise<Tokens>;
  /** Make the refresh token useless; does nothing where the issuer can't. */
  revoke(tokens: Tokens): Promise<void>;
  /** Where the browser ends the issuer's own session; null when the issuer has no such endpoint. */
  signOutUrl(tokens: Tokens): string | null;
}

/** The issuer refused; any other error means that it can't be reached. */
export class RefusedError extends Error {
  constructor(readonly code: string) {
    super(`The issuer refused: ${code}`);
    this.name = 'RefusedError';
  }
}

/** There is no access token at the moment. */
export class NoTokenError extends Error {
  constructor(readonly reason: 'ended' | 'unreachable') {
    super(`There is no access token: ${reason}`);
    this.name = 'NoTokenError';
  }
}
