import { convertToParamMap } from '@angular/router';

import { NO_CRITERIA, criteriaOf, filterOf, invalid, queryOf } from './criteria';

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
    ['to', '2026-02-31T00:00'],
    ['product', 'two words'],
    ['customer', 'x'.repeat(256)],
    ['customer', 'ali\0ce'],
    ['customer', ['alice', 'bob']],
    ['status', ['CLOSED', 'FAILED']],
  ] as const)('are wrong with a %s such as %j', (name, value) => {
    expect(invalid(criteriaOf(convertToParamMap({ [name]: value })))).toEqual([name]);
  });

  it('are valid when absent', () => {
    expect([
      criteriaOf(convertToParamMap({})),
      invalid(NO_CRITERIA),
      filterOf(NO_CRITERIA),
      queryOf(NO_CRITERIA),
    ]).toEqual([NO_CRITERIA, [], {}, {}]);
  });
});
