import { Channel, Lock, Message } from './sharing';

/** The lock *name* of all tabs of this origin; null where Web Locks are unavailable (insecure contexts). */
export function tabLock(name: string): Lock | null {
  // undefined outside of secure contexts, despite its type
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks === undefined) return null;
  return {
    acquire: (held) => {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const waiting = new AbortController();
      locks
        .request(name, { signal: waiting.signal }, () => {
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

export function tabChannel(name: string): Channel | null {
  if (typeof BroadcastChannel === 'undefined') return null;
  const channel = new BroadcastChannel(name);
  return {
    post: (message: Message) => channel.postMessage(message),
    listen: (onMessage) => (channel.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(data)),
    close: () => channel.close(),
  };
}
