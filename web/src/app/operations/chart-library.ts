import { Chart, LineController, LineElement, LinearScale, Plugin, PointElement, Tooltip } from 'chart.js';

import { Marks } from './marks';

const RESTART_DASH = [3, 3];

/** Draws incidents as bands, and restarts as upright lines, behind the lines of a chart. */
const marks: Plugin<'line', Marks> = {
  id: 'marks',
  beforeDatasetsDraw: ({ ctx, chartArea, scales }, _, { bands, restarts, restartColour }) => {
    const { left, right, top, height } = chartArea;
    const x = (minutes: number): number => Math.min(right, Math.max(left, scales['x']?.getPixelForValue(minutes) ?? 0));
    const isVisible = (minutes: number): boolean => minutes >= (scales['x']?.min ?? 0);
    ctx.save();
    for (const { from, until, colour } of bands.filter((each) => isVisible(each.until))) {
      ctx.fillStyle = colour;
      ctx.fillRect(x(from), top, Math.max(2, x(until) - x(from)), height);
    }
    ctx.setLineDash(RESTART_DASH);
    ctx.strokeStyle = restartColour;
    ctx.beginPath();
    for (const restart of restarts.filter(isVisible)) {
      ctx.moveTo(x(restart), top);
      ctx.lineTo(x(restart), top + height);
    }
    ctx.stroke();
    ctx.restore();
  },
};

// register only what line charts need, to keep the bundle small
Chart.register(LineController, LineElement, LinearScale, PointElement, Tooltip, marks);

export { Chart };
