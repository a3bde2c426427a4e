import { parseExposition } from './exposition';
import { Buckets, bucketsOf, quantile } from './histogram';

function buckets(...counts: readonly (readonly [number, number])[]): Buckets {
  return new Map(counts);
}

describe('quantile', () => {
  const ten = buckets([0.1, 2], [0.2, 8], [0.4, 10], [Infinity, 10]);

  it('is linear within a bucket', () => {
    expect(quantile(0.5, ten)).toBeCloseTo(0.15);
    expect(quantile(0.9, ten)).toBeCloseTo(0.3);
    expect(quantile(1, ten)).toBeCloseTo(0.4);
  });

  it('starts the lowest bucket at zero', () => {
    expect(quantile(0.1, ten)).toBeCloseTo(0.05);
    expect(quantile(0, ten)).toBe(0);
  });

  it('is the highest finite bound above it', () => {
    expect(quantile(0.99, buckets([1, 5], [10, 6], [Infinity, 10]))).toBe(10);
  });

  it('is a bound at its rank', () => {
    expect(quantile(0.2, ten)).toBeCloseTo(0.1);
    expect(quantile(0.8, ten)).toBeCloseTo(0.2);
  });

  it('skips empty buckets', () => {
    expect(quantile(0.5, buckets([1, 0], [2, 0], [4, 4], [8, 4], [Infinity, 4]))).toBeCloseTo(3);
  });

  it('accepts any order and decreasing counts', () => {
    expect(quantile(0.5, buckets([Infinity, 4], [4, 4], [1, 0], [2, 0]))).toBeCloseTo(3);
    expect(quantile(0.5, buckets([1, 3], [2, 2], [Infinity, 4]))).toBeCloseTo(2 / 3);
  });

  it('is null without observations', () => {
    expect(quantile(0.5, buckets())).toBeNull();
    expect(quantile(0.5, buckets([1, 0], [Infinity, 0]))).toBeNull();
    expect(quantile(0.5, buckets([1, NaN], [Infinity, NaN]))).toBeNull();
  });

  it('is null without the infinite bucket', () => {
    expect(quantile(0.5, buckets([1, 2], [2, 3]))).toBeNull();
    expect(quantile(0.5, buckets([Infinity, 3]))).toBeNull();
  });

  it('is the lowest bound when that is not positive', () => {
    expect(quantile(0.1, buckets([-1, 5], [1, 10], [Infinity, 10]))).toBe(-1);
  });
});

describe('bucketsOf', () => {
  it('sums all label sets and ignores samples without a bound', () => {
    const metrics = parseExposition(
      'h{le="0.5",s="1"} 1\nh{le="+Inf",s="1"} 2\nh{le="0.5",s="2"} 3\nh{le="+Inf",s="2"} 4\nh{le="wide"} 9\nh 9\n',
    );
    expect([...bucketsOf(metrics.of('h'))]).toEqual([
      [0.5, 4],
      [Infinity, 6],
    ]);
  });
});
