import { texts } from '../texts';
import { Problem } from './problem';

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;

/** Why a call failed, for the user. */
export function explanation(problem: Problem): string {
  if (problem.unreachable) return texts.common.unreachable(texts.common.services[problem.service]);
  if (problem.status === FORBIDDEN) return texts.common.forbidden;
  if (problem.status === UNAUTHORIZED) return problem.detail || texts.common.signInNeeded;
  return problem.message || texts.common.unexpected;
}

/** Whether the person is refused, not the call: a repeat has the same outcome. */
export function isRefused(problem: Problem): boolean {
  return problem.status === UNAUTHORIZED || problem.status === FORBIDDEN;
}
