import { NO_CRITERIA, filterOf, invalid, queryOf } from './criteria';

const TRACE = 'fb933d82107025c1e574447d39867536';

describe('criteria', () => {
  it('become the filter of the service', () => {
    const criteria = {
      number: '12',
      product: 'mug',
      customer: 'alice',
      status: 'CLOSED',
      trace: TRACE.toUpperCase(),
      from: '2026-11-27T14:00',
      to: '',
    };
    expect(filterOf(criteria)).toEqual({
      number: '12',
      product: 'mug',
      customer: 'alice',
      status: 'CLOSED',
      traceId: TRACE,
      from: new Date(2026, 10, 27, 14).toISOString(),
    });
    expect(queryOf({ ...NO_CRITERIA, status: 'CLOSED', to: '' })).toEqual({ status: 'CLOSED' });
  });

  it.each([
    ['number', '012'],
    ['number', '1e3'],
    ['status', 'NONSENSE'],
    ['trace', 'abc'],
    ['from', 'yesterday'],
    ['to', '2026-13-40T00:00'],
    ['product', 'x'.repeat(65)],
    ['product', 'two words'],
  ] as const)('leave out a %s such as %j, and name it', (name, value) => {
    const criteria = { ...NO_CRITERIA, [name]: value };
    expect(invalid(criteria)).toEqual([name]);
    expect(filterOf(criteria)).toEqual({});
  });

  it('are valid when absent', () => {
    expect([invalid(NO_CRITERIA), filterOf(NO_CRITERIA), queryOf(NO_CRITERIA)]).toEqual([[], {}, {}]);
  });
});
