import { parseOrders } from './order-filter';

describe('A filter by order', () => {
  it('parses one number or several', () => {
    expect(parseOrders('12')).toEqual(new Set([12]));
    expect(parseOrders(' 12, 15;#16  ')).toEqual(new Set([12, 15, 16]));
  });

  it('selects all orders when empty', () => {
    expect(parseOrders('')).toBeNull();
    expect(parseOrders(' , ')).toBeNull();
  });

  it.each(['x', '12 x', '0', '-1', '1.5', '1e3', '1234567890123456'])('rejects %j', (text) => {
    expect(parseOrders(text)).toBe('wrong');
  });
});
