/** A position in the feed: everything up to and including *seq* of *epoch*. */
export interface EventId {
  readonly epoch: string;
  readonly seq: number;
}

const FORM = /^([^-\s]{1,64})-(\d{1,15})$/;

export function parseEventId(text: string): EventId | null {
  const match = FORM.exec(text);
  return match?.[1] === undefined ? null : { epoch: match[1], seq: Number(match[2]) };
}

export function formatEventId(id: EventId): string {
  return `${id.epoch}-${id.seq.toString()}`;
}

/** Whether *one* is after *other* in the same epoch. */
export function isAfter(one: EventId, other: EventId): boolean {
  return one.epoch === other.epoch && one.seq > other.seq;
}
