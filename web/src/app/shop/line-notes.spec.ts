import { Problem, Violation } from '../api/problem';
import { replaced } from './catalogue';
import { coversAllViolations, notesOn } from './line-notes';

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

  it('are empty for lines in stock', () => {
    expect(notesOn(lines, catalogue, null).has('a')).toBe(false);
  });

  it('are empty while the stock is unknown', () => {
    expect(notesOn(lines, null, null).size).toBe(0);
  });

  it('show the stock when it is short', () => {
    expect(notesOn(lines, catalogue, null).get('b')).toEqual({ kind: 'short', stock: 1 });
  });

  it('report a removed product', () => {
    expect(notesOn([{ productId: 'z', quantity: 1 }], catalogue, null).get('z')).toEqual({ kind: 'unknown' });
  });

  it('ignore products beyond a truncated catalogue', () => {
    expect(notesOn([{ productId: 'z', quantity: 1 }], { ...catalogue, complete: false }, null).size).toBe(0);
  });

  it('prefer the refusal to the stock', () => {
    expect(notesOn(lines, catalogue, refused(shortA)).get('a')).toEqual({ kind: 'short', stock: 1 });
  });

  it('report an unknown product', () => {
    const unknown = { pointer: '/orderItems/1/productId', detail: 'There is no product b.', productId: 'b' };
    expect(notesOn(lines, null, refused(unknown)).get('b')).toEqual({ kind: 'unknown' });
  });

  it('find the line by its pointer without a product id', () => {
    const wrong = { pointer: '/orderItems/1/quantity', detail: 'Must be less.' };
    expect(notesOn(lines, null, refused(wrong))).toEqual(new Map([['b', { kind: 'wrong', detail: 'Must be less.' }]]));
  });

  it.each(['', '/orderItems', '/orderItems/9/quantity', '/orderItems/x', 'limit'])(
    'leave alone what is wrong elsewhere: “%s”',
    (pointer) => {
      const elsewhere = refused({ pointer, detail: '…' });
      expect(notesOn(lines, null, elsewhere).size).toBe(0);
      expect(coversAllViolations(elsewhere, lines)).toBe(false);
    },
  );

  it('cover all violations of a refusal, or not all', () => {
    expect(coversAllViolations(refused(shortA), lines)).toBe(true);
    expect(coversAllViolations(refused(shortA, { pointer: '', detail: '…' }), lines)).toBe(false);
    expect(coversAllViolations(refused(), lines)).toBe(false);
  });
});
