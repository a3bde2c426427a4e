import { Problem, Violation } from '../api/problem';
import { texts } from '../texts';

const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
const INVALID = 422;

/** What became of an attempt to change an order, in words. */
export interface Refusal {
  readonly text: string;
  readonly details: readonly string[];
}

/** Says why a change was not carried out; each of the reasons that a user can do something about in its own words. */
export function refusal(problem: Problem): Refusal {
  const said = texts.orders.editor;
  const products = problem.violations.map(ofProduct).filter((each) => each !== null);
  if (problem.status === PRECONDITION_FAILED) return { text: said.stale, details: [] };
  if (problem.status === CONFLICT && products.length === 0) return { text: said.tooLate, details: [] };
  if (problem.status === CONFLICT || problem.status === INVALID) {
    return { text: said.refused, details: products.length > 0 ? products : [problem.message] };
  }
  if (problem.unreachable) {
    return { text: texts.common.unreachable(texts.common.services[problem.service]), details: [said.notSure] };
  }
  return { text: texts.common.unexpected, details: [problem.message] };
}

function ofProduct(violation: Violation): string | null {
  const { productId, stock } = violation;
  if (productId === undefined) return null;
  return stock === undefined ? texts.orders.editor.unknown(productId) : texts.orders.editor.short(productId, stock);
}
