import { texts } from '../texts';
import { destinationOf } from './destination';

const TRACE = 'fb933d82107025c1e574447d39867536';

function queryOf(typed: string): unknown {
  return destinationOf(typed, texts.common.statuses)?.query;
}

describe('destinationOf', () => {
  it.each(['12', '#12', ' order 12 ', 'Order #12'])('leads to an order by %j', (typed) => {
    expect(destinationOf(typed, texts.common.statuses)).toEqual({ path: ['/orders', '12'], query: {} });
  });

  it.each([
    [TRACE, { trace: TRACE }],
    [`00-${TRACE}-b7ad6b7169203331-01`, { trace: TRACE }],
    ['@alice', { customer: 'alice' }],
    ['customer: alice', { customer: 'alice' }],
    ['closed', { status: 'CLOSED' }],
    ['updated', { product: 'updated' }],
    ['2026-11-30', { from: '2026-11-30T00:00', to: '2026-12-01T00:00' }],
    ['2026-11-30 14:05', { from: '2026-11-30T14:05' }],
    ['coffee-mug', { product: 'coffee-mug' }],
    ['012', { product: '012' }],
  ])('leads to the list by %j', (typed, query) => {
    expect(queryOf(typed)).toEqual(query);
  });

  it('leads nowhere without a text', () => {
    expect(destinationOf('  ', texts.common.statuses)).toBeNull();
  });
});
