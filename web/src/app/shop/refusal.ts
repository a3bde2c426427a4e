import { Service } from '../api/endpoints';
import { Problem } from '../api/problem';
import { texts } from '../texts';

/** What is said of a refusal: what happened, and what that means for the order. */
export interface Sentences {
  readonly text: string;
  readonly detail: string;
}

/** Whose failure it is: the order service says it when it is another one that it needs. */
export function atFault(problem: Problem): Service {
  return problem.status === 503 && problem.detail.startsWith('inventory-service') ? 'inventory' : problem.service;
}

/** Whether the same may succeed when it is tried again. */
export function isPassing(problem: Problem): boolean {
  return problem.status === 0 || problem.status >= 500;
}

export function sentences(problem: Problem, saidAtLines: boolean): Sentences {
  const said = texts.shop.order;
  if (!isPassing(problem)) {
    const reason = problem.detail || problem.title || texts.common.unexpected;
    const violations = problem.violations.map((violation) => violation.detail);
    return { text: said.notTaken, detail: [reason, ...(saidAtLines ? [said.atLines] : violations)].join(' ') };
  }
  const service = atFault(problem);
  const name = texts.common.services[service];
  // an answer can be lost as well as a request
  const outcome = service === problem.service ? `${said.maybeTaken} ${said.safe}` : said.nothingStored;
  return { text: problem.unreachable ? texts.common.unreachable(name) : said.serviceError(name), detail: outcome };
}
