import { formatMs, latencyMs, percentile } from './durations';

describe('A duration', () => {
  it.each<[number, number, string]>([
    [12.4, 0, '12 ms'],
    [12.44, 1, '12.4 ms'],
    [-0.04, 1, '0.0 ms'],
    [-3, 0, '-3 ms'],
    [999.6, 0, '1.0 s'],
    [999.6, 1, '999.6 ms'],
    [1500, 0, '1.5 s'],
    [59_960, 0, '1 min'],
    [150_000, 0, '3 min'],
  ])('of %f ms with %i digits is formatted %s', (durationMs, digits, text) => {
    expect(formatMs(durationMs, digits)).toBe(text);
  });

  it('is measured from the change to the arrival', () => {
    const notification = {
      id: 'a-1',
      type: 'order-created',
      kind: 'CREATED',
      orderId: 1,
      version: 1,
      message: '',
      occurredAt: '1970-01-01T00:00:01.000500Z',
      traceId: '',
    } as const;
    expect(latencyMs({ notification, receivedAt: 1012.5 })).toBeCloseTo(12.5, 0);
  });
});

describe('A percentile', () => {
  it('is one of the values', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.95)).toBe(95);
    expect(percentile([7], 0.95)).toBe(7);
  });

  it('of no values is null', () => {
    expect(percentile([], 0.5)).toBeNull();
  });
});
