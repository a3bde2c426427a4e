import { isRecord } from './notification.js';

const LIMIT_MS = 10_000;

/** The service, or whoever gives tokens, refuses this person: to try again would not help. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';

  /** @param status 401 or 403. */
  constructor(readonly status: number) {
    super(`Access is denied: ${status.toString()}.`);
  }
}

export function isDenied(status: number): boolean {
  return status === 401 || status === 403;
}

/** The header with a token. */
export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

/**
 * Gets a ticket for one connection from `POST /tickets`; for `parameters`: `async () => ({ ticket: await newTicket(…) })`.
 *
 * @param url that of `/tickets`.
 * @throws DeniedError the token is refused.
 */
export async function newTicket(url: URL, token: string, fetcher: typeof fetch = fetch): Promise<string> {
  const response = await fetcher(url, {
    method: 'POST',
    headers: bearer(token),
    cache: 'no-store',
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (isDenied(response.status)) throw new DeniedError(response.status);
  const answer = response.ok ? ((await response.json()) as unknown) : null;
  if (!isRecord(answer) || typeof answer['ticket'] !== 'string') {
    throw new Error(`No ticket: ${response.status.toString()}.`);
  }
  return answer['ticket'];
}
