/** The orders to show: null is all, `wrong` an invalid filter. */
export type OrderFilter = ReadonlySet<number> | null | 'wrong';

/** Parses order numbers, separated by commas or spaces. */
export function parseOrders(text: string): OrderFilter {
  const tokens = text.split(/[\s,;#]+/).filter((token) => token !== '');
  if (tokens.length === 0) return null;
  const numbers = tokens.map(Number);
  const valid = tokens.every((token) => /^\d{1,15}$/.test(token)) && numbers.every((each) => each > 0);
  return valid ? new Set(numbers) : 'wrong';
}
