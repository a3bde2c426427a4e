import { Subject, of, throwError } from 'rxjs';

import { Problem } from '../api/problem';
import { texts } from '../texts';
import { Act } from './act';

describe('Act', () => {
  it('says in a sentence what was done', async () => {
    const act = new Act();
    expect(await act.run('processing', of(3), (count) => `${count.toString()} done`)).toBe(true);
    expect([act.message(), act.failure(), act.busy()]).toEqual(['3 done', '', false]);
  });

  it('says why it failed, and nothing of the act before', async () => {
    const act = new Act();
    await act.run('processing', of(1), () => 'done');
    const problem = new Problem('processing', 403, 'Forbidden', '', null, []);
    expect(
      await act.run(
        'processing',
        throwError(() => problem),
        () => 'done',
      ),
    ).toBe(false);
    expect([act.message(), act.failure()]).toEqual(['', texts.common.forbidden]);
  });

  it('does one thing at a time', async () => {
    const act = new Act();
    const first = new Subject<number>();
    const running = act.run('order', first, () => 'first');
    expect(await act.run('order', of(2), () => 'second')).toBe(false);
    expect(act.busy()).toBe(true);
    first.next(1);
    await running;
    expect(act.message()).toBe('first');
  });
});
