import { texts } from '../texts';

const MINUTE_MS = 60_000;

/** Formats a duration in a suitable unit; *ms* is not negative. */
export function duration(ms: number): string {
  if (ms < 9.95) return texts.orders.milliseconds(ms.toFixed(1));
  if (ms < 999.5) return texts.orders.milliseconds(Math.round(ms).toString());
  if (ms < MINUTE_MS - 50) return texts.orders.seconds((ms / 1000).toFixed(ms < 9995 ? 2 : 1));
  const seconds = Math.round(ms / 1000);
  return texts.orders.minutes(Math.floor(seconds / 60), seconds % 60);
}
