import { arrow } from './arrow';
import { LIFELINES } from './hop';

describe('arrow', () => {
  it('goes from the middle of one lifeline to the middle of another', () => {
    expect(arrow({ from: 'client', to: 'order' })).toMatchObject({ direction: 'right', line: '1 / 3', inset: 25 });
    expect(arrow({ from: 'notification', to: 'client' })).toMatchObject({ direction: 'left', line: '1 / 7' });
    expect(arrow({ from: 'processing', to: 'order' })).toMatchObject({ direction: 'left', line: '2 / 6', inset: 12.5 });
  });

  it('stays on one lifeline for a step within a service', () => {
    expect(arrow({ from: 'order', to: 'order' })).toMatchObject({ direction: 'self', line: '2 / 3', inset: 50 });
  });

  it('has its label on the wider side, within the diagram', () => {
    expect(arrow({ from: 'client', to: 'order' })).toMatchObject({ label: '1 / 7', labelSide: 'start' });
    expect(arrow({ from: 'sqs', to: 'notification' })).toMatchObject({ label: '1 / 7', labelSide: 'end' });
    for (const from of LIFELINES) {
      for (const to of LIFELINES) {
        const [first = 0, end = 0] = arrow({ from, to }).label.split(' / ').map(Number);
        expect(first >= 1 && end <= LIFELINES.length + 1 && end - first >= 3, `${from} ${to}`).toBe(true);
      }
    }
  });
});
