import { Channel, Lock, Message } from './sharing';

/** The number is that of the messages' form: a page of another version shares nothing with this one. */
const NAME = 'orderstream.feed.1';

/** The lock of all tabs of this origin; null in a browser or a page that has none (over plain HTTP from elsewhere). */
export function tabLock(): Lock | null {
  // absent outside of secure contexts, whatever its type says
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks === undefined) return null;
  return {
    acquire: (held) => {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const waiting = new AbortController();
      locks
        .request(NAME, { signal: waiting.signal }, () => {
          held();
          return released;
        })
        .catch((error: unknown) => {
          if (!waiting.signal.aborted) reportError(error);
        });
      return () => {
        waiting.abort();
        release();
      };
    },
  };
}

export function tabChannel(): Channel | null {
  if (typeof BroadcastChannel === 'undefined') return null;
  const channel = new BroadcastChannel(NAME);
  return {
    post: (message: Message) => channel.postMessage(message),
    listen: (hear) => (channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data)),
    close: () => channel.close(),
  };
}
