import { FeedRuntime } from './connection';
import { ConnectionEvent, readFrame, readMessage, readReset } from './frames';
import { Protocol } from './notification';

const READ_LIMIT_MS = 10_000;
const DRIFT_LIMIT_MS = 100;

/** Resolves a path to a URL of the notification service. */
export type Address = (path: string) => URL;

/** The browser's clock, timers, network and random numbers. */
export function browserRuntime(address: Address): FeedRuntime {
  return {
    now: preciseClock(),
    random: () => Math.random(),
    later: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    open: (protocol, after, onEvent) => openOrFail(address, protocol, after, onEvent),
    read: (after, limit) => readHistory(address, after, limit),
  };
}

/** Date.now() with fractions of a millisecond. performance.now() alone may stand still while the machine sleeps. */
function preciseClock(): () => number {
  let origin = performance.timeOrigin;
  return () => {
    const elapsed = performance.now();
    if (Math.abs(Date.now() - origin - elapsed) > DRIFT_LIMIT_MS) origin = Date.now() - elapsed;
    return origin + elapsed;
  };
}

function openOrFail(
  address: Address,
  protocol: Protocol,
  after: string,
  onEvent: (event: ConnectionEvent) => void,
): () => void {
  try {
    return protocol === 'sse' ? openStream(address, after, onEvent) : openSocket(address, after, onEvent);
  } catch {
    // unsupported by the browser or forbidden by the page's policy: handled like an unreachable service
    const timer = setTimeout(() => onEvent({ type: 'closed', code: null }));
    return () => clearTimeout(timer);
  }
}

/**
 * Opens `/stream`.
 *
 * An EventSource reconnects with its own delays, and gives up after some statuses. It is closed instead, and a new one
 * gets the last event id in its URL, like a WebSocket.
 */
function openStream(address: Address, after: string, onEvent: (event: ConnectionEvent) => void): () => void {
  const source = new EventSource(resume(address('/stream'), after));
  source.onopen = () => onEvent({ type: 'opened', head: null });
  source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => onEvent(readMessage(data, lastEventId));
  source.addEventListener('reset', ({ lastEventId }) => onEvent(readReset(lastEventId)));
  source.onerror = () => {
    source.close();
    onEvent({ type: 'closed', code: null });
  };
  return () => source.close();
}

function openSocket(address: Address, after: string, onEvent: (event: ConnectionEvent) => void): () => void {
  const url = resume(address('/ws'), after);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    const event: ConnectionEvent | null = typeof data === 'string' ? readFrame(data) : { type: 'malformed' };
    if (event !== null) onEvent(event);
  };
  socket.onclose = ({ code }) => onEvent({ type: 'closed', code });
  return () => {
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  };
}

function resume(url: URL, after: string): URL {
  url.searchParams.set('lastEventId', after);
  return url;
}

async function readHistory(address: Address, after: string | null, limit: number): Promise<unknown> {
  const url = address('/notifications');
  url.searchParams.set('limit', limit.toString());
  if (after !== null) url.searchParams.set('after', after);
  const response = await fetch(url, { signal: AbortSignal.timeout(READ_LIMIT_MS) });
  if (!response.ok) throw new Error(`The history answers ${response.status.toString()}.`);
  return (await response.json()) as unknown;
}
