/** Which orders to show: null is all of them, `wrong` what can't be read. */
export type OrderFilter = ReadonlySet<number> | null | 'wrong';

/** Reads order numbers with commas or spaces between them. */
export function parseOrders(text: string): OrderFilter {
  const words = text.split(/[\s,;#]+/).filter((word) => word !== '');
  if (words.length === 0) return null;
  const numbers = words.map(Number);
  const right = words.every((word) => /^\d{1,15}$/.test(word)) && numbers.every((each) => each > 0);
  return right ? new Set(numbers) : 'wrong';
}
