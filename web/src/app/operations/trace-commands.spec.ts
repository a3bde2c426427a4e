import { traceCommands, traceIdOf } from './trace-commands';

const ID = 'fb933d82107025c1e574447d39867536';

describe('traceIdOf', () => {
  it.each([ID, ` ${ID}\n`, ID.toUpperCase(), `"${ID}"`, `00-${ID}-00f067aa0ba902b7-01`])('finds it in %s', (pasted) => {
    expect(traceIdOf(pasted)).toBe(ID);
  });

  it.each([
    '',
    'x',
    ID.slice(1),
    `${ID}0`,
    '0'.repeat(32),
    `00-${ID}-00f067aa0ba902b7`,
    `${ID}"; rm -rf /`,
    `${ID}\n${ID}`,
  ])('finds none in %s', (pasted) => {
    expect(traceIdOf(pasted)).toBeNull();
  });
});

describe('traceCommands', () => {
  it('has the trace id in each', () => {
    const commands = traceCommands(ID, 'data/logs');
    for (const command of Object.values(commands) as string[]) expect(command).toContain(ID);
    expect(commands.insights.split('\n')[1]).toBe(`| filter traceId = "${ID}"`);
  });
});
