import { Problem, Violation } from '../api/problem';
import { texts } from '../texts';
import { refusal } from './refusal';

function problem(status: number, violations: readonly Violation[] = []): Problem {
  return new Problem('order', status, 'Title', 'What the service says.', null, violations);
}

const said = texts.orders.editor;

describe('refusal', () => {
  it('says that somebody else was faster', () => {
    expect(refusal(problem(412))).toEqual({ text: said.stale, details: [] });
  });

  it('says that the order has come to its end', () => {
    const status = { pointer: '', detail: 'Order 7 is CLOSED.' };
    expect(refusal(problem(409, [status])).text).toBe(said.tooLate);
  });

  it('names each item that is short or not sold any more', () => {
    const short = { pointer: '/orderItems/0/quantity', detail: '', productId: '123', requested: 9, stock: 4 };
    expect(refusal(problem(409, [short]))).toEqual({ text: said.refused, details: [said.short('123', 4)] });
    const unknown = { pointer: '/orderItems/0/productId', detail: '', productId: '456' };
    expect(refusal(problem(422, [unknown])).details).toEqual([said.unknown('456')]);
  });

  it('does not claim to know what became of an attempt without an answer', () => {
    for (const status of [0, 503]) expect(refusal(problem(status)).details).toEqual([said.notSure]);
  });

  it('repeats what it can say no better', () => {
    expect(refusal(problem(500))).toEqual({ text: texts.common.unexpected, details: ['What the service says.'] });
    expect(refusal(problem(422)).details).toEqual(['What the service says.']);
  });
});
