import { texts } from '../texts';

const MINUTE_MS = 60_000;

/** Formats a duration in a suitable unit; *ms* is not negative. */
export function duration(ms: number): string {
  if (ms < 999.5) return texts.common.milliseconds(ms, ms < 9.95 ? 1 : 0);
  if (ms < MINUTE_MS - 50) return texts.common.seconds(ms / 1000, ms < 9995 ? 2 : 1);
  const seconds = Math.round(ms / 1000);
  return texts.orders.minutes(Math.floor(seconds / 60), seconds % 60);
}
