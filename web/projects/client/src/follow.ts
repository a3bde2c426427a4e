import { FeedConnection } from './connection.js';
import { formatEventId, parseEventId } from './event-id.js';
import { NetworkOptions, networkRuntime } from './network.js';
import { FeedEnd, FeedState, Filter, Notification, Protocol } from './notification.js';

export interface FollowOptions
  extends Filter, Pick<NetworkOptions, 'token' | 'parameters' | 'heartbeatS' | 'fetch' | 'WebSocket'> {
  /** The address of the notification service, as in `http://127.0.0.1:8082`. */
  readonly url: string | URL;
  /** `sse` by default. */
  readonly protocol?: Protocol;
  /** The last id that was received, or `earliest`; without it, everything from now on. */
  readonly after?: string;
  readonly onNotification: (notification: Notification) => void;
  readonly onState?: (state: FeedState) => void;
  /**
   * The service no longer knew the position. What it has left of the missed notifications is read from the history and
   * delivered; older ones are lost.
   */
  readonly onReset?: () => void;
  /** The feed ended by itself, and connects no more until {@link Following.resume}. */
  readonly onEnd?: (end: FeedEnd) => void;
  /** A connection ended, with the status of its response or the close code of its WebSocket; it is opened again. */
  readonly onClosed?: (code: number | null) => void;
}

/** A feed that is followed. */
export interface Following {
  readonly state: FeedState;
  /** The id up to which everything was received; null before the first connection. */
  readonly position: string | null;
  /** Continue over *protocol*, without loss or duplicates. */
  use(protocol: Protocol): void;
  /** Connect again after the feed ended by itself, from where it was. */
  resume(): void;
  stop(): void;
}

/**
 * Follow the feed until stopped, disconnected or denied: each notification once and in order, across lost connections, silence and resets.
 *
 * @throws TypeError a filter is empty, or *after* is not an id.
 */
export function follow(options: FollowOptions): Following {
  const { orderIds, kinds, token, parameters, onNotification, onState, onReset, onEnd, onClosed } = options;
  if (orderIds?.length === 0 || kinds?.length === 0) throw new TypeError('An empty filter matches nothing.');
  const base = `${options.url.toString().replace(/\/$/, '')}/`;
  const runtime = networkRuntime({
    ...options,
    address: (path) => new URL(path.slice(1), base),
    filter: { ...(orderIds && { orderIds }), ...(kinds && { kinds }) },
  });
  let shown: FeedState | null = null;
  let resets = 0;
  const connection = new FeedConnection(
    {
      protocol: options.protocol ?? 'sse',
      after: parseAfter(options.after),
      // a customer's feed has gaps, as one with a filter
      isFiltered: !!(orderIds ?? kinds ?? token ?? parameters),
    },
    {
      ...runtime,
      open: (protocol, after, onEvent) =>
        runtime.open(protocol, after, (event) => {
          onEvent(event);
          if (event.type === 'closed') onClosed?.(event.code);
          if (event.type === 'denied') onClosed?.(event.status);
        }),
    },
    (arrivals) => {
      if (connection.counts.resets > resets) onReset?.();
      resets = connection.counts.resets;
      for (const { notification } of arrivals) onNotification(notification);
      if (connection.state === shown) return;
      onState?.((shown = connection.state));
      if (connection.end !== null) onEnd?.(connection.end);
    },
  );
  const stopListening = listenForNetwork(connection);
  connection.start();
  return {
    get state(): FeedState {
      return connection.state;
    },
    get position(): string | null {
      return connection.position && formatEventId(connection.position);
    },
    use: (protocol) => connection.use(protocol),
    resume: () => connection.start(),
    stop: () => {
      stopListening();
      connection.stop();
    },
  };
}

function parseAfter(after: string | undefined): ReturnType<typeof parseEventId> | 'earliest' {
  if (after === undefined || after === 'earliest') return after ?? null;
  const id = parseEventId(after);
  if (id === null) throw new TypeError(`${after} is not an id of the feed.`);
  return id;
}

/** A browser tells when the network comes and goes; Node does not. */
export function listenForNetwork(connection: Pick<FeedConnection, 'online' | 'offline'>): () => void {
  if (typeof globalThis.addEventListener !== 'function') return () => undefined;
  const listeners = new AbortController();
  const { signal } = listeners;
  globalThis.addEventListener('online', () => connection.online(), { signal });
  globalThis.addEventListener('offline', () => connection.offline(), { signal });
  return () => listeners.abort();
}
