import { Problem, Violation } from '../api/problem';
import { texts } from '../texts';
import { refusal } from './refusal';

function problem(status: number, violations: readonly Violation[] = []): Problem {
  return new Problem('order', status, 'Title', 'What the service says.', null, violations);
}

const labels = texts.orders.editor;

describe('refusal', () => {
  it('reports a concurrent change', () => {
    expect(refusal(problem(412))).toEqual({ text: labels.stale, details: [] });
  });

  it('reports an ended order', () => {
    const status = { pointer: '', detail: 'Order 7 is CLOSED.' };
    expect(refusal(problem(409, [status])).text).toBe(labels.tooLate);
  });

  it('names each item that is short or no longer sold', () => {
    const short = { pointer: '/orderItems/0/quantity', detail: '', productId: '123', requested: 9, stock: 4 };
    expect(refusal(problem(409, [short]))).toEqual({ text: labels.refused, details: [labels.short('123', 4)] });
    const unknown = { pointer: '/orderItems/0/productId', detail: '', productId: '456' };
    expect(refusal(problem(422, [unknown])).details).toEqual([labels.unknown('456')]);
  });

  it('reports an unknown outcome without a response', () => {
    for (const status of [0, 503]) expect(refusal(problem(status)).details).toEqual([labels.notSure]);
  });

  it('says what a service answered that failed, and that the outcome is unknown', () => {
    const answered = new Problem('order', 503, 'Service Unavailable', 'The database is away.', '4bf9', []);
    const details = ['The database is away.', labels.notSure];
    expect(refusal(answered)).toEqual({ text: texts.common.unexpected, details });
    expect(refusal(problem(500)).details).toEqual(['What the service says.', labels.notSure]);
  });

  it('says plainly what the account may not do', () => {
    expect(refusal(problem(403))).toEqual({ text: labels.refused, details: [texts.common.forbidden] });
  });

  it('falls back to the message of the problem', () => {
    expect(refusal(problem(422)).details).toEqual(['What the service says.']);
  });
});
