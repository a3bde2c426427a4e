import { Service } from '../api/endpoints';
import { explanation, isRefused } from '../api/explanation';
import { Problem } from '../api/problem';
import { texts } from '../texts';

/** The error message of a refused order: what happened, and the outcome for the order. */
export interface RefusalText {
  readonly text: string;
  readonly detail: string;
}

/** The failing service: the order service may report a failure of the inventory. */
export function failingService(problem: Problem): Service {
  return problem.status === 503 && problem.detail.startsWith('inventory-service') ? 'inventory' : problem.service;
}

/** Whether a retry may succeed. */
export function isTransient(problem: Problem): boolean {
  return problem.status === 0 || problem.status >= 500;
}

export function refusalText(problem: Problem, shownAtLines: boolean): RefusalText {
  const labels = texts.shop.order;
  if (isRefused(problem)) return { text: labels.notPlaced, detail: explanation(problem) };
  if (!isTransient(problem)) {
    const reason = problem.detail || problem.title || texts.common.unexpected;
    const violations = problem.violations.map((violation) => violation.detail);
    return { text: labels.notPlaced, detail: [reason, ...(shownAtLines ? [labels.atLines] : violations)].join(' ') };
  }
  const service = failingService(problem);
  const name = texts.common.services[service];
  // the response may be lost as well as the request
  const outcome = service === problem.service ? `${labels.maybePlaced} ${labels.safe}` : labels.notStored;
  const unreached = service !== problem.service || (problem.unreachable && !problem.answered);
  return { text: unreached ? texts.common.wasUnreachable(name) : labels.serviceError(name), detail: outcome };
}
