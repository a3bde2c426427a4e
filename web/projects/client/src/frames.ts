import { EventId, parseEventId } from './event-id.js';
import { Notification, isRecord, parseNotification } from './notification.js';

/** An event of a connection, independent of its protocol. */
export type ConnectionEvent =
  /**
   * The welcome: everything up to *id* was received, *head* is the newest. A service of an earlier version does not say
   * from one heartbeat to the next.
   */
  | ({ readonly type: 'opened'; readonly id: EventId; readonly head: EventId; readonly heartbeatMs?: number } & Delay)
  | { readonly type: 'event'; readonly id: EventId; readonly notification: Notification; readonly bytes: number }
  | ({ readonly type: 'position'; readonly id: EventId } & Delay)
  | { readonly type: 'reset'; readonly id: EventId }
  | { readonly type: 'bye'; readonly retryMs: number; readonly reason: string }
  | { readonly type: 'malformed' }
  /** *code* is the status of the response, or the close code of the WebSocket; null without one. */
  | { readonly type: 'closed'; readonly code: number | null }
  /** Closed, and a new connection would be refused too. */
  | { readonly type: 'denied'; readonly status: number };

/** How long ago the service read the feed; absent while it can. */
interface Delay {
  readonly delayedMs?: number;
}

/** A page of the history; malformed notifications are null. */
export interface Page {
  readonly notifications: readonly (Notification | null)[];
  readonly next: EventId | null;
  readonly head: EventId;
}

const MALFORMED: ConnectionEvent = { type: 'malformed' };
const LONGEST_MS = 60_000;

/** Parses a frame of `/ws`, or the data of an event of `/stream` with a name; null when it is ignored. */
export function readFrame(text: string): ConnectionEvent | null {
  const frame = parseJson(text);
  if (!isRecord(frame)) return MALFORMED;
  const id = toEventId(frame['id']);
  switch (frame['type']) {
    case 'welcome': {
      const head = toEventId(frame['head']);
      if (id === null || head === null) return MALFORMED;
      return {
        type: 'opened',
        id,
        head,
        ...(isDuration(frame['heartbeatMs']) && { heartbeatMs: frame['heartbeatMs'] }),
        ...delayOf(frame),
      };
    }
    case 'event':
      return eventFrame(frame['data'], id, frameBytes(text));
    case 'heartbeat':
      return id === null ? MALFORMED : { type: 'position', id, ...delayOf(frame) };
    case 'reset':
      return id === null ? MALFORMED : { type: 'reset', id };
    case 'bye':
      return isDuration(frame['retryMs'])
        ? { type: 'bye', retryMs: frame['retryMs'], reason: String(frame['reason']) }
        : MALFORMED;
    case 'error':
      return null;
    default:
      return MALFORMED;
  }
}

/** Parses the data of an unnamed event of `/stream`. */
export function readMessage(data: string, lastEventId: string): ConnectionEvent {
  return eventFrame(parseJson(data), parseEventId(lastEventId), blockBytes(data, lastEventId));
}

/** Parses a response of `GET /notifications`; null when it is malformed. */
export function readPage(value: unknown): Page | null {
  if (!isRecord(value) || !Array.isArray(value['notifications'])) return null;
  const head = toEventId(value['head']);
  return head && { notifications: value['notifications'].map(parseNotification), next: toEventId(value['next']), head };
}

function eventFrame(data: unknown, id: EventId | null, bytes: number): ConnectionEvent {
  const notification = parseNotification(data);
  if (notification === null || id === null) return MALFORMED;
  const own = parseEventId(notification.id);
  if (own?.epoch !== id.epoch || own.seq !== id.seq) return MALFORMED;
  return { type: 'event', id, notification, bytes };
}

function toEventId(value: unknown): EventId | null {
  return typeof value === 'string' ? parseEventId(value) : null;
}

function delayOf({ delayedMs }: Record<string, unknown>): Delay {
  return isDuration(delayedMs, Infinity) ? { delayedMs } : {};
}

function isDuration(value: unknown, longestMs = LONGEST_MS): value is number {
  return typeof value === 'number' && value >= 0 && value <= longestMs;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The size of an unmasked frame: RFC 6455, section 5.2. */
function frameBytes(text: string): number {
  const size = utf8Bytes(text);
  return size + (size < 126 ? 2 : size < 65_536 ? 4 : 10);
}

/** The size of a block in its own chunk: RFC 9112, section 7.1. */
function blockBytes(data: string, id: string): number {
  const size = utf8Bytes(`id: ${id}\ndata: ${data}\n\n`);
  return size + size.toString(16).length + 4;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
