import { Problem } from '../api/problem';
import { atFault, isPassing, sentences } from './refusal';

const problem = (status: number, detail = '', title = ''): Problem =>
  new Problem('order', status, title, detail, null, []);

describe('what is said of a refusal', () => {
  it('names the order service when it gives no answer, and that trying again is safe', () => {
    const { text, detail } = sentences(problem(0), false);
    expect(text).toBe('The order service can’t be reached.');
    expect(detail).toMatch(/not known whether.*never makes a second order/);
  });

  it('names the inventory service when it is that one which is away, and that nothing was ordered', () => {
    const away = problem(503, 'inventory-service: GET /inventory/123: no connection');
    expect(atFault(away)).toBe('inventory');
    const { text, detail } = sentences(away, false);
    expect(text).toBe('The inventory service can’t be reached.');
    expect(detail).toMatch(/Nothing was ordered/);
  });

  it('does not know what became of the order after an error within the service', () => {
    const { text, detail } = sentences(problem(500), false);
    expect(text).toBe('The order service had an error.');
    expect(detail).toMatch(/not known/);
  });

  it('points to the lines when they say it', () => {
    expect(sentences(problem(409, 'There is not enough in stock.'), true)).toEqual({
      text: 'The order was not placed.',
      detail: 'There is not enough in stock. See the marked products.',
    });
  });

  it('says what the lines do not', () => {
    const invalid = new Problem('order', 422, '', 'One thing is not valid.', null, [
      { pointer: '/x', detail: 'No x.' },
    ]);
    expect(sentences(invalid, false).detail).toBe('One thing is not valid. No x.');
  });

  it.each([
    ['Conflict', 'Conflict'],
    ['', 'Something went wrong.'],
  ])('makes do with the title “%s”', (title, said) => {
    expect(sentences(problem(409, '', title), false).detail).toBe(said);
  });

  it.each([
    [0, true],
    [500, true],
    [502, true],
    [503, true],
    [409, false],
    [422, false],
    [403, false],
  ])('after %d, trying again may help: %s', (status, passing) => {
    expect(isPassing(problem(status))).toBe(passing);
  });
});
