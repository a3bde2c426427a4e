import { EventId, parseEventId } from './event-id';
import { Notification, isRecord, parseNotification } from './notification';

/** What a connection says, whichever its protocol. */
export type Heard =
  /** *head* is the newest of the feed, where the protocol tells it. */
  | { readonly type: 'opened'; readonly head: EventId | null }
  | { readonly type: 'event'; readonly id: EventId; readonly notification: Notification; readonly bytes: number }
  | { readonly type: 'position'; readonly id: EventId }
  | { readonly type: 'reset'; readonly id: EventId }
  | { readonly type: 'bye'; readonly retryMs: number }
  | { readonly type: 'malformed' }
  | { readonly type: 'closed'; readonly code: number | null };

/** A page of the history; what could not be read in it is null. */
export interface Page {
  readonly notifications: readonly (Notification | null)[];
  readonly next: EventId | null;
  readonly head: EventId;
}

const MALFORMED: Heard = { type: 'malformed' };
const LONGEST_RETRY_MS = 60_000;

/** Reads a frame of `/ws`; null when it says nothing of interest. */
export function readFrame(text: string): Heard | null {
  const frame = parseJson(text);
  if (!isRecord(frame)) return MALFORMED;
  const id = asId(frame['id']);
  switch (frame['type']) {
    case 'welcome':
      return { type: 'opened', head: asId(frame['head']) };
    case 'event':
      return event(frame['data'], id, frameBytes(text));
    case 'heartbeat':
      return id === null ? MALFORMED : { type: 'position', id };
    case 'reset':
      return id === null ? MALFORMED : { type: 'reset', id };
    case 'bye':
      return isRetry(frame['retryMs']) ? { type: 'bye', retryMs: frame['retryMs'] } : MALFORMED;
    case 'error':
      return null;
    default:
      return MALFORMED;
  }
}

/** Reads the data of an unnamed event of `/stream`. */
export function readMessage(data: string, lastEventId: string): Heard {
  return event(parseJson(data), parseEventId(lastEventId), blockBytes(data, lastEventId));
}

/** Reads an event of `/stream` with the name `reset`. */
export function readReset(lastEventId: string): Heard {
  const id = parseEventId(lastEventId);
  return id === null ? MALFORMED : { type: 'reset', id };
}

/** Reads an answer of `GET /notifications`; null when it is none. */
export function readPage(value: unknown): Page | null {
  if (!isRecord(value) || !Array.isArray(value['notifications'])) return null;
  const head = asId(value['head']);
  return head && { notifications: value['notifications'].map(parseNotification), next: asId(value['next']), head };
}

function event(data: unknown, id: EventId | null, bytes: number): Heard {
  const notification = parseNotification(data);
  if (notification === null || id === null) return MALFORMED;
  const own = parseEventId(notification.id);
  if (own?.epoch !== id.epoch || own.seq !== id.seq) return MALFORMED;
  return { type: 'event', id, notification, bytes };
}

function asId(value: unknown): EventId | null {
  return typeof value === 'string' ? parseEventId(value) : null;
}

function isRetry(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_RETRY_MS;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The bytes of an unmasked frame: RFC 6455, section 5.2. */
function frameBytes(text: string): number {
  const size = utf8Bytes(text);
  return size + (size < 126 ? 2 : size < 65_536 ? 4 : 10);
}

/** The bytes of a block in a chunk of its own: RFC 9112, section 7.1. */
function blockBytes(data: string, id: string): number {
  const size = utf8Bytes(`id: ${id}\ndata: ${data}\n\n`);
  return size + size.toString(16).length + 4;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
