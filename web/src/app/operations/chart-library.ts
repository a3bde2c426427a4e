import { Chart, LineController, LineElement, LinearScale, PointElement, Tooltip } from 'chart.js';

// what a line needs and nothing else: the rest of the library is left out of the bundle
Chart.register(LineController, LineElement, LinearScale, PointElement, Tooltip);

export { Chart };
