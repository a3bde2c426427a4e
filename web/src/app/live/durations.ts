import { Received } from '../push/feed';

/** The latency from the change to its arrival, in ms; the two times are of different clocks. */
export function latencyMs(received: Pick<Received, 'notification' | 'receivedAt'>): number {
  return received.receivedAt - Date.parse(received.notification.occurredAt);
}

/** Formats a duration. */
export function formatMs(durationMs: number, digits = 0): string {
  const rounded = durationMs.toFixed(digits);
  if (Math.abs(durationMs) < 1000) return `${Number(rounded) === 0 ? Math.abs(0).toFixed(digits) : rounded} ms`;
  if (Math.abs(durationMs) < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${(durationMs / 60_000).toFixed(0)} min`;
}

/** The percentile *share* (0 to 1) of *values*, by nearest rank; null without values. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
