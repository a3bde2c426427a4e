import { linePoints } from './line-points';

describe('The points of a line', () => {
  it('go from left to right, and up with the values', () => {
    expect(linePoints([0, 5, 10], 10)).toBe('0.0,22.0 50.0,12.0 100.0,2.0');
  });

  it('stay inside for all values', () => {
    expect(linePoints([-5, 50], 10)).toBe('0.0,22.0 100.0,2.0');
    expect(linePoints([0], 0)).toBe('0.0,22.0');
    expect(linePoints([], 10)).toBe('');
  });
});
