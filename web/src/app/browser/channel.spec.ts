import { tabChannel } from '.';

describe('The channel of all tabs', () => {
  it('reaches the other tabs', async () => {
    const [one, other] = [tabChannel('a'), tabChannel('a')];
    const received: unknown[] = [];
    other?.listen((message) => received.push(message));
    one?.post({ type: 'use', protocol: 'ws' });
    await vi.waitFor(() => expect(received).toEqual([{ type: 'use', protocol: 'ws' }]));
    one?.close();
    other?.close();
  });

  it('does not reach those of another name', async () => {
    const [one, other, stranger] = [tabChannel('a'), tabChannel('a'), tabChannel('b')];
    const received: unknown[] = [];
    stranger?.listen((message) => received.push(message));
    const reached = new Promise<void>((resolve) => other?.listen(() => resolve()));
    one?.post({ type: 'hello' });
    await reached;
    expect(received).toEqual([]);
    for (const each of [one, other, stranger]) each?.close();
  });

  it('is absent where the browser has none or denies it', () => {
    for (const constructor of [undefined, denied]) {
      vi.stubGlobal('BroadcastChannel', constructor);
      expect(tabChannel('a')).toBeNull();
    }
    vi.unstubAllGlobals();
  });

  it('ignores what is posted after its end', () => {
    const channel = tabChannel('a');
    channel?.close();
    expect(() => channel?.post(1)).not.toThrow();
  });
});

function denied(): never {
  throw new DOMException('', 'SecurityError');
}
