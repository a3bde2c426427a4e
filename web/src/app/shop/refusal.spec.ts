import { Problem } from '../api/problem';
import { failingService, isTransient, refusalText } from './refusal';

const problem = (status: number, detail = '', title = ''): Problem =>
  new Problem('order', status, title, detail, null, []);

describe('the text of a refusal', () => {
  it('names the order service without a response, and that a retry is safe', () => {
    const { text, detail } = refusalText(problem(0), false);
    expect(text).toBe('The order service could not be reached.');
    expect(detail).toMatch(/unknown whether.*never places a second order/);
  });

  it('names the inventory service when it is unreachable, and that nothing was ordered', () => {
    const unreachable = problem(503, 'inventory-service: GET /inventory/123: no connection');
    expect(failingService(unreachable)).toBe('inventory');
    const { text, detail } = refusalText(unreachable, false);
    expect(text).toBe('The inventory service could not be reached.');
    expect(detail).toMatch(/The order was not placed/);
  });

  it('does not say of a service that answered that it could not be reached', () => {
    const answered = new Problem('order', 503, 'Service Unavailable', 'The database is away.', '4bf9', []);
    expect(refusalText(answered, false).text).toBe('The order service had an error.');
  });

  it('reports an unknown outcome after an error of the service', () => {
    const { text, detail } = refusalText(problem(500), false);
    expect(text).toBe('The order service had an error.');
    expect(detail).toMatch(/unknown/);
  });

  it('refers to the lines that show the violations', () => {
    expect(refusalText(problem(409, 'There is not enough in stock.'), true)).toEqual({
      text: 'The order was not placed.',
      detail: 'There is not enough in stock. See the marked products.',
    });
  });

  it('has violations that no line shows', () => {
    const invalid = new Problem('order', 422, '', 'One thing is not valid.', null, [
      { pointer: '/x', detail: 'No x.' },
    ]);
    expect(refusalText(invalid, false).detail).toBe('One thing is not valid. No x.');
  });

  it.each([
    ['Conflict', 'Conflict'],
    ['', 'Something went wrong.'],
  ])('falls back to the title “%s”', (title, labels) => {
    expect(refusalText(problem(409, '', title), false).detail).toBe(labels);
  });

  it.each([
    [0, true],
    [500, true],
    [502, true],
    [503, true],
    [409, false],
    [422, false],
    [403, false],
  ])('after %d a retry may succeed: %s', (status, passing) => {
    expect(isTransient(problem(status))).toBe(passing);
  });
});
