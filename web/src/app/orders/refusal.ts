import { explanation, isRefused } from '../api/explanation';
import { Problem, Violation } from '../api/problem';
import { texts } from '../texts';

const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
const INVALID = 422;
const FAILED = 500;

/** The error message of a refused change. */
export interface Refusal {
  readonly text: string;
  readonly details: readonly string[];
}

/** Returns the error message of a failed change, with specific texts for problems that a user can solve. */
export function refusal(problem: Problem): Refusal {
  const labels = texts.orders.editor;
  const products = problem.violations.map(ofProduct).filter((each) => each !== null);
  if (problem.status === PRECONDITION_FAILED) return { text: labels.stale, details: [] };
  if (problem.status === CONFLICT && products.length === 0) return { text: labels.tooLate, details: [] };
  if (problem.status === CONFLICT || problem.status === INVALID) {
    return { text: labels.refused, details: products.length > 0 ? products : [problem.message] };
  }
  if (isRefused(problem)) return { text: labels.refused, details: [explanation(problem)] };
  if (problem.unreachable && !problem.answered) {
    return { text: texts.common.wasUnreachable(texts.common.services[problem.service]), details: [labels.notSure] };
  }
  const outcome = problem.status >= FAILED ? [labels.notSure] : [];
  return { text: texts.common.unexpected, details: [problem.message, ...outcome] };
}

function ofProduct(violation: Violation): string | null {
  const { productId, stock } = violation;
  if (productId === undefined) return null;
  return stock === undefined ? texts.orders.editor.unknown(productId) : texts.orders.editor.short(productId, stock);
}
