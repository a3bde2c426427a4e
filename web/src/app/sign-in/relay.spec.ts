import { awaitAnswer, relayAnswer } from './relay';

const ANSWER = new URLSearchParams({ code: 'c+/ d', state: 'mine' });

describe('The answer that another window received', () => {
  it('reaches the tab that waits for it', async () => {
    const answers: string[] = [];
    awaitAnswer('mine', (answer) => answers.push(answer.toString()));
    expect(await relayAnswer(ANSWER)).toBe(true);
    expect(answers).toEqual([ANSWER.toString()]);
  });

  it('is taken by nobody else', async () => {
    const stop = awaitAnswer('other', () => expect.unreachable());
    expect(await relayAnswer(ANSWER)).toBe(false);
    stop();
  });
});
