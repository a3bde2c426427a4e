import { Problem, Violation } from '../api/problem';
import { replaced } from './catalogue';
import { isSaidAtLines, notesOn } from './line-notes';

const lines = [
  { productId: 'a', quantity: 2 },
  { productId: 'b', quantity: 3 },
];

const refused = (...violations: Violation[]): Problem => new Problem('order', 409, '', '', null, violations);

const shortA: Violation = { pointer: '/orderItems/0/quantity', detail: '…', productId: 'a', requested: 2, stock: 1 };

describe('the notes on lines', () => {
  const catalogue = replaced(
    null,
    [2, 1].map((stock, at) => ({ productId: lines[at]!.productId, stock, version: 1, lastUpdate: '' })),
    true,
  );

  it('say nothing of what is there', () => {
    expect(notesOn(lines, catalogue, null).has('a')).toBe(false);
  });

  it('say nothing as long as the stock is not known', () => {
    expect(notesOn(lines, null, null).size).toBe(0);
  });

  it('say what is there when it is too little', () => {
    expect(notesOn(lines, catalogue, null).get('b')).toEqual({ kind: 'short', stock: 1 });
  });

  it('say that a product is gone', () => {
    expect(notesOn([{ productId: 'z', quantity: 1 }], catalogue, null).get('z')).toEqual({ kind: 'unknown' });
  });

  it('do not call gone what may be further on in the catalogue', () => {
    expect(notesOn([{ productId: 'z', quantity: 1 }], { ...catalogue, complete: false }, null).size).toBe(0);
  });

  it('say what the refusal said, whatever the stock seems to be', () => {
    expect(notesOn(lines, catalogue, refused(shortA)).get('a')).toEqual({ kind: 'short', stock: 1 });
  });

  it('name the product that the service does not know', () => {
    const unknown = { pointer: '/orderItems/1/productId', detail: 'There is no product b.', productId: 'b' };
    expect(notesOn(lines, null, refused(unknown)).get('b')).toEqual({ kind: 'unknown' });
  });

  it('find the line by its place when the product is not named', () => {
    const wrong = { pointer: '/orderItems/1/quantity', detail: 'Must be less.' };
    expect(notesOn(lines, null, refused(wrong))).toEqual(new Map([['b', { kind: 'wrong', detail: 'Must be less.' }]]));
  });

  it.each(['', '/orderItems', '/orderItems/9/quantity', '/orderItems/x', 'limit'])(
    'leave alone what is wrong elsewhere: “%s”',
    (pointer) => {
      const elsewhere = refused({ pointer, detail: '…' });
      expect(notesOn(lines, null, elsewhere).size).toBe(0);
      expect(isSaidAtLines(elsewhere, lines)).toBe(false);
    },
  );

  it('say all of a refusal, or not all', () => {
    expect(isSaidAtLines(refused(shortA), lines)).toBe(true);
    expect(isSaidAtLines(refused(shortA, { pointer: '', detail: '…' }), lines)).toBe(false);
    expect(isSaidAtLines(refused(), lines)).toBe(false);
  });
});
