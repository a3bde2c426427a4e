/** Parses an RFC 3339 timestamp with microseconds to milliseconds since 1970, with a fraction. */
export function parseTime(text: string | null | undefined): number | null {
  if (text == null) return null;
  const match = /^(.*T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  // Date has milliseconds only, and a hop may be shorter
  const whole = match === null ? NaN : Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  return Number.isNaN(whole) ? null : whole + Number(match?.[2] ?? 0) * 1000;
}

/**
 * The duration between two times, in milliseconds; null when one of them is unknown.
 *
 * The times may be of two machines' clocks, one of them the user's. A negative duration reveals a clock offset: then
 * the duration is unknown.
 */
export function elapsed(from: number | null, to: number | null): number | null {
  if (from === null || to === null) return null;
  return to >= from ? to - from : null;
}
