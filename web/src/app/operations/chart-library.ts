import { Chart, LineController, LineElement, LinearScale, PointElement, Tooltip } from 'chart.js';

// register only what line charts need, to keep the bundle small
Chart.register(LineController, LineElement, LinearScale, PointElement, Tooltip);

export { Chart };
