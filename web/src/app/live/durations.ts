import { Received } from '../push/feed';
import { texts } from '../texts';

/** The latency from the change to its arrival, in ms; the two times are of different clocks. */
export function latencyMs(received: Pick<Received, 'notification' | 'receivedAt'>): number {
  return received.receivedAt - Date.parse(received.notification.occurredAt);
}

/** Formats a duration. */
export function formatMs(durationMs: number, digits = 0): string {
  const rounded = Number(durationMs.toFixed(digits)) + 0; // makes 0 of -0
  if (Math.abs(rounded) < 1000) return texts.common.milliseconds(rounded, digits);
  if (Math.abs(durationMs) < 59_950) return texts.common.seconds(durationMs / 1000, 1);
  return `${(durationMs / 60_000).toFixed(0)} min`;
}

/** The percentile *share* (0 to 1) of *values*, by nearest rank; null without values. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
