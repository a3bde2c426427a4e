import { World } from './connection';
import { Heard, readFrame, readMessage, readReset } from './frames';
import { Protocol } from './notification';

const READ_LIMIT_MS = 10_000;
const DRIFT_LIMIT_MS = 100;

/** Where the notification service is. */
export type Address = (path: string) => URL;

/** The browser's clock, network and chance. */
export function browserWorld(address: Address): World {
  return {
    now: fineClock(),
    random: () => Math.random(),
    later: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    open: (protocol, after, tell) => openOrFail(address, protocol, after, tell),
    read: (after, limit) => readHistory(address, after, limit),
  };
}

/** The time of Date.now(), in parts of a millisecond. The finer clock of a page stands still while the machine sleeps. */
function fineClock(): () => number {
  let origin = performance.timeOrigin;
  return () => {
    const elapsed = performance.now();
    if (Math.abs(Date.now() - origin - elapsed) > DRIFT_LIMIT_MS) origin = Date.now() - elapsed;
    return origin + elapsed;
  };
}

function openOrFail(address: Address, protocol: Protocol, after: string, tell: (heard: Heard) => void): () => void {
  try {
    return protocol === 'sse' ? openStream(address, after, tell) : openSocket(address, after, tell);
  } catch {
    // no such thing in this browser, or forbidden by the page's policy: as good as a service that does not answer
    const timer = setTimeout(() => tell({ type: 'closed', code: null }));
    return () => clearTimeout(timer);
  }
}

/**
 * Opens `/stream`.
 *
 * An EventSource would come back by itself, at its own pace and not at all after some answers: it is ended instead, and
 * a new one is given the last id in its address, as a WebSocket is.
 */
function openStream(address: Address, after: string, tell: (heard: Heard) => void): () => void {
  const source = new EventSource(resume(address('/stream'), after));
  source.onopen = () => tell({ type: 'opened', head: null });
  source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => tell(readMessage(data, lastEventId));
  source.addEventListener('reset', ({ lastEventId }) => tell(readReset(lastEventId)));
  source.onerror = () => {
    source.close();
    tell({ type: 'closed', code: null });
  };
  return () => source.close();
}

function openSocket(address: Address, after: string, tell: (heard: Heard) => void): () => void {
  const url = resume(address('/ws'), after);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    const heard: Heard | null = typeof data === 'string' ? readFrame(data) : { type: 'malformed' };
    if (heard !== null) tell(heard);
  };
  socket.onclose = ({ code }) => tell({ type: 'closed', code });
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
