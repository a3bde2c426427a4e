import { HISTORY_MS } from './history';
import { Log } from './incidents';
import { recall, remember } from './memory';

const LOG: Log = { since: 1, at: 5, incidents: [], starts: [], effects: {} };

describe('memory', () => {
  beforeEach(() => sessionStorage.clear());

  it('survives a reload', () => {
    const history = [
      { at: 10, values: { placed: 1.25 } },
      { at: 20, values: {} },
    ];
    remember('k', { history, log: LOG });
    expect(recall('k', 30)).toEqual({
      history: [
        { at: 10, values: { placed: 1.25 } },
        { at: 20, values: {} },
      ],
      log: LOG,
    });
    expect(recall('another person', 30)).toEqual({ history: [], log: null });
  });

  it('has no points that are too old, or of a clock that was put back', () => {
    remember('k', {
      history: [
        { at: 10, values: {} },
        { at: 99 + HISTORY_MS, values: {} },
      ],
      log: null,
    });
    expect(recall('k', 20 + HISTORY_MS).history).toEqual([]);
  });

  it.each(['', 'null', '{}', '[', '{"format":1}', '{"format":0,"history":[],"log":null}'])(
    'is empty with %s',
    (stored) => {
      sessionStorage.setItem('k', stored);
      expect(recall('k', 0)).toEqual({ history: [], log: null });
    },
  );
});
