export const WIDTH = 100;
export const HEIGHT = 24;
const MARGIN = 2;

/** The points of an SVG polyline through *values*, from left to right, on a scale from 0 to *maximum*. */
export function linePoints(values: readonly number[], maximum: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  const scale = (HEIGHT - 2 * MARGIN) / (maximum > 0 ? maximum : 1);
  return values
    .map((value, index) => {
      const height = Math.min(Math.max(value, 0), maximum) * scale;
      return `${(index * step).toFixed(1)},${(HEIGHT - MARGIN - height).toFixed(1)}`;
    })
    .join(' ');
}
