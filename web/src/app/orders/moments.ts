/** Reads a time as the services write it, RFC 3339 with microseconds, in milliseconds since 1970 with a fraction. */
export function moment(text: string | null | undefined): number | null {
  if (text == null) return null;
  const match = /^(.*T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  // Date knows milliseconds only, and a hop may take less than one
  const whole = match === null ? NaN : Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  return Number.isNaN(whole) ? null : whole + Number(match?.[2] ?? 0) * 1000;
}

/**
 * How long it was from one moment to another, in milliseconds; null when one of them is not known.
 *
 * The two may come from the clocks of two machines, one of them the user's. What these disagree by is not told by
 * anybody, but a time below zero gives it away: then there is no duration to show.
 */
export function elapsed(from: number | null, to: number | null): number | null {
  if (from === null || to === null) return null;
  return to >= from ? to - from : null;
}
