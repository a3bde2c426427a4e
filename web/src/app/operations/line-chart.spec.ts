import { TestBed } from '@angular/core/testing';

import { CHARTS } from './charts';
import { DRAW, LineConfiguration } from './drawing';
import { LineChart } from './line-chart';
import { HistoryPoint } from './history';

const HISTORY: readonly HistoryPoint[] = [
  { at: 0, values: { placed: 60, closed: 30, failed: 0 } },
  { at: 5000, values: { placed: 120, closed: 60, failed: 1 } },
  { at: 65_000, values: { placed: 90, closed: 60 } },
];

describe('LineChart', () => {
  let drawn: LineConfiguration[];
  let canvases: HTMLCanvasElement[];
  let ended: number;
  let loads: number;
  let broken: boolean;

  beforeEach(() => {
    drawn = [];
    ended = 0;
    loads = 0;
    broken = false;
    canvases = [];
    const draw = async (canvas: HTMLCanvasElement, first: LineConfiguration): Promise<object> => {
      loads += 1;
      canvases.push(canvas);
      if (broken) throw new TypeError('Failed to fetch dynamically imported module');
      drawn.push(first);
      return { show: (next: LineConfiguration) => drawn.push(next), destroy: () => (ended += 1) };
    };
    TestBed.configureTestingModule({ providers: [{ provide: DRAW, useValue: draw }] });
  });

  async function shown(
    history: readonly HistoryPoint[],
  ): Promise<ReturnType<typeof TestBed.createComponent<LineChart>>> {
    const fixture = TestBed.createComponent(LineChart);
    fixture.componentRef.setInput('plan', CHARTS[0]);
    fixture.componentRef.setInput('history', history);
    await fixture.whenStable();
    return fixture;
  }

  function page(fixture: { nativeElement: unknown }): HTMLElement {
    return fixture.nativeElement as HTMLElement;
  }

  it('shows an empty state without loading the library', async () => {
    const fixture = await shown([]);
    expect(page(fixture).textContent).toContain('Not enough data');
    expect(loads).toBe(0);
  });

  it('draws the lines and updates them', async () => {
    const fixture = await shown(HISTORY.slice(0, 1));
    fixture.componentRef.setInput('history', HISTORY);
    await fixture.whenStable();
    expect(loads).toBe(1);
    expect(drawn.map((each) => each.data.datasets[0]?.data.length)).toEqual([1, 3]);
  });

  it('draws again after a time without data', async () => {
    const fixture = await shown(HISTORY.slice(0, 1));
    const before = page(fixture).querySelector('canvas');
    fixture.componentRef.setInput('history', [{ at: 70_000, values: {} }]);
    await fixture.whenStable();
    expect(page(fixture).querySelector('canvas')).toBeNull();
    expect(ended).toBe(1);
    fixture.componentRef.setInput('history', HISTORY);
    await fixture.whenStable();
    expect(canvases).toEqual([before, page(fixture).querySelector('canvas')]);
    expect(canvases[1]).not.toBe(before);
    fixture.componentRef.setInput('history', HISTORY.slice(1));
    await fixture.whenStable();
    expect(drawn.map((each) => each.data.datasets[0]?.data.length)).toEqual([1, 3, 2]);
  });

  it('has a text summary', async () => {
    const canvas = page(await shown(HISTORY)).querySelector('canvas')!;
    expect(canvas.getAttribute('role')).toBe('img');
    expect(canvas.getAttribute('aria-label')).toBe('Orders per minute. Now: Placed 90, Closed 60. Highest: 120.');
  });

  it('names the chart of a table', async () => {
    expect(
      page(await shown(HISTORY))
        .querySelector('summary')
        ?.textContent.trim(),
    ).toBe('Table Orders per minute');
  });

  it('has a table by minute', async () => {
    const fixture = await shown(HISTORY);
    const details = page(fixture).querySelector('details')!;
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
    await fixture.whenStable();
    const rows = [...details.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent),
    );
    expect(rows).toEqual([
      ['90', '–', '60', '–'],
      ['120', '–', '60', '1'],
    ]);
  });

  it('shows the table when the library can’t be loaded', async () => {
    broken = true;
    const fixture = await shown(HISTORY);
    await vi.waitFor(() => expect(page(fixture).textContent).toContain('The charts failed to load'));
    expect(page(fixture).querySelector('details')).not.toBeNull();
  });

  it('destroys the chart with the component', async () => {
    const fixture = await shown(HISTORY);
    fixture.destroy();
    await vi.waitFor(() => expect(ended).toBe(1));
  });
});
