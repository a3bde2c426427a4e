import { FeedRuntime } from './connection.js';
import { ConnectionEvent, readFrame, readMessage } from './frames.js';
import { Filter, Protocol } from './notification.js';
import { StreamParser } from './stream-parser.js';
import { DeniedError, bearer, isDenied, newTicket } from './ticket.js';

const READ_LIMIT_MS = 10_000;
const DRIFT_LIMIT_MS = 100;
const UNPROCESSABLE = 422;

/** The part of a WebSocket that is used: the browser's, Node's from version 22, or that of the package ws. */
export interface Socket {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
  close(): void;
}

export interface NetworkOptions {
  /** Resolves a path, as in `/stream`, to a URL of the notification service. */
  readonly address: (path: string) => URL;
  readonly filter?: Filter;
  /** A valid access token: for a header of each request, and for a ticket of each WebSocket. */
  readonly token?: () => Promise<string>;
  /** Query parameters for the next connection, such as a ticket that is valid once. */
  readonly parameters?: () => Promise<Readonly<Record<string, string>>>;
  /** How often the service sends a heartbeat at least, in seconds: 5 to 60. */
  readonly heartbeatS?: number;
  /** Instead of the global one, for instance to add a header. */
  readonly fetch?: typeof fetch;
  /** Instead of the global one. */
  readonly WebSocket?: new (url: URL) => Socket;
}

type OnEvent = (event: ConnectionEvent) => void;

/** The clock, timers and random numbers of the platform, and the network. */
export function networkRuntime(options: NetworkOptions): FeedRuntime {
  const network = new Network(options);
  return {
    now: preciseClock(),
    random: () => Math.random(),
    later: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    open: (protocol, after, onEvent) => network.open(protocol, after, onEvent),
    read: (after, limit) => network.read(after, limit),
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

class Network {
  /** A service of an earlier version refuses the parameter. */
  private asksForHeartbeat = true;
  private hasHeartbeat = false;

  constructor(private readonly options: NetworkOptions) {}

  /** Open a connection; the returned function closes it, and no event follows. */
  open(protocol: Protocol, after: string | null, onEvent: OnEvent): () => void {
    const closing = new AbortController();
    const { signal } = closing;
    const tell: OnEvent = (event) => {
      if (signal.aborted) return;
      onEvent(event);
      if (event.type === 'closed' || event.type === 'denied') closing.abort();
    };
    const connect = protocol === 'sse' ? this.stream(after, tell, signal) : this.socket(after, tell, signal);
    // unreachable, unsupported by the platform, or without parameters: each is handled like a lost connection
    connect.catch((error: unknown) =>
      tell(error instanceof DeniedError ? { type: 'denied', status: error.status } : { type: 'closed', code: null }),
    );
    return () => closing.abort();
  }

  async read(after: string, limit: number): Promise<unknown> {
    const url = this.url('/notifications', { after, limit: limit.toString() });
    const response = await this.fetch(url, AbortSignal.timeout(READ_LIMIT_MS));
    if (!response.ok) throw new Error(`The history answers ${response.status.toString()}.`);
    return (await response.json()) as unknown;
  }

  /** Follows `/stream` with fetch: an EventSource hides the status, and gives up after some. */
  private async stream(after: string | null, onEvent: OnEvent, signal: AbortSignal): Promise<void> {
    const url = await this.connectionUrl('/stream', after);
    const response = await this.fetch(url, signal);
    // a ticket is refused when it has expired on the way, or a proxy sent it twice: another may be taken
    if (isDenied(response.status) && !(response.status === 401 && url.searchParams.has('ticket'))) {
      throw new DeniedError(response.status);
    }
    if (response.status === UNPROCESSABLE && url.searchParams.has('heartbeat')) this.asksForHeartbeat = false;
    const parser = new StreamParser();
    const text = response.ok ? response.body?.pipeThrough(new TextDecoderStream()).getReader() : undefined;
    for (let part = await text?.read(); part?.value !== undefined; part = await text?.read()) {
      for (const { name, data, id } of parser.feed(part.value)) {
        const event = name === 'message' ? readMessage(data, id) : readFrame(data);
        if (event !== null) onEvent(event);
      }
    }
    onEvent({ type: 'closed', code: response.status });
  }

  private async socket(after: string | null, onEvent: OnEvent, signal: AbortSignal): Promise<void> {
    const url = await this.connectionUrl('/ws', after);
    const { token, address } = this.options;
    if (token) url.searchParams.set('ticket', await newTicket(address('/tickets'), await token(), this.options.fetch));
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (signal.aborted) return;
    const asks = url.searchParams.has('heartbeat');
    let opened = false;
    const socket: Socket = new (this.options.WebSocket ?? WebSocket)(url);
    socket.addEventListener('message', ({ data }) => {
      opened = true;
      this.hasHeartbeat ||= asks;
      const event: ConnectionEvent | null = typeof data === 'string' ? readFrame(data) : { type: 'malformed' };
      if (event !== null) onEvent(event);
    });
    socket.addEventListener('close', ({ code }) => {
      onEvent({ type: 'closed', code });
      // unreachable: what is to be known, the next connection may tell
      if (asks && !opened && !this.hasHeartbeat) this.askForHeartbeat().catch(() => undefined);
    });
    socket.addEventListener('error', () => undefined); // a close follows
    signal.addEventListener('abort', () => socket.close());
  }

  /** A WebSocket hides the status that it is refused with: find out by a stream whether it is for the heartbeat. */
  private async askForHeartbeat(): Promise<void> {
    const response = await this.fetch(await this.connectionUrl('/stream', null), AbortSignal.timeout(READ_LIMIT_MS));
    if (response.status === UNPROCESSABLE) this.asksForHeartbeat = false;
    await response.body?.cancel();
  }

  private async connectionUrl(path: string, after: string | null): Promise<URL> {
    const { parameters, heartbeatS } = this.options;
    return this.url(path, {
      ...(await parameters?.()),
      ...(heartbeatS !== undefined && this.asksForHeartbeat && { heartbeat: heartbeatS.toString() }),
      ...(after !== null && { lastEventId: after }),
    });
  }

  private url(path: string, parameters: Readonly<Record<string, string>>): URL {
    const { address, filter } = this.options;
    const url = address(path);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    for (const order of filter?.orderIds ?? []) url.searchParams.append('orderId', order.toString());
    for (const kind of filter?.kinds ?? []) url.searchParams.append('kind', kind);
    return url;
  }

  private async fetch(url: URL, signal: AbortSignal): Promise<Response> {
    const token = await this.options.token?.();
    const headers = token === undefined ? {} : bearer(token);
    return (this.options.fetch ?? fetch)(url, { signal, cache: 'no-store', headers });
  }
}
