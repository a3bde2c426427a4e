import { OrderLine } from '../api/orders';
import { Problem, Violation } from '../api/problem';
import { Catalogue, stockOf } from './catalogue';

/** The problem of a line. */
export type LineNote =
  | { readonly kind: 'short'; readonly stock: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrong'; readonly detail: string };

/** The note on each line by product id: from the refusal of these lines, else from the stock. */
export function notesOn(
  lines: readonly OrderLine[],
  catalogue: Catalogue | null,
  refusal: Problem | null,
): ReadonlyMap<string, LineNote> {
  const notes = new Map<string, LineNote>();
  for (const line of lines) {
    const stock = stockOf(catalogue, line.productId);
    if (stock === null) notes.set(line.productId, { kind: 'unknown' });
    else if (stock !== undefined && stock < line.quantity) notes.set(line.productId, { kind: 'short', stock });
  }
  for (const violation of refusal?.violations ?? []) {
    const line = lineOf(violation, lines);
    if (line) notes.set(line.productId, noteOf(violation));
  }
  return notes;
}

/** Whether the notes cover all violations of the refusal. */
export function coversAllViolations(refusal: Problem, lines: readonly OrderLine[]): boolean {
  return refusal.violations.length > 0 && refusal.violations.every((violation) => lineOf(violation, lines));
}

function lineOf(violation: Violation, lines: readonly OrderLine[]): OrderLine | undefined {
  const place = /^\/orderItems\/(\d+)(\/|$)/.exec(violation.pointer)?.[1];
  return lines.find((line) => line.productId === violation.productId) ?? lines[Number(place)];
}

function noteOf(violation: Violation): LineNote {
  if (typeof violation.stock === 'number') return { kind: 'short', stock: violation.stock };
  return violation.productId === undefined ? { kind: 'wrong', detail: violation.detail } : { kind: 'unknown' };
}
