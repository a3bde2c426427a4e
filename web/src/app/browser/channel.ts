/** A broadcast channel to all other tabs of this origin. */
export interface Channel {
  post(message: unknown): void;
  listen(onMessage: (message: unknown) => void): void;
  close(): void;
}

/** The channel *name*; null where the browser has none, or denies it to this page. */
export function tabChannel(name: string): Channel | null {
  const channel = open(name);
  if (channel === null) return null;
  let isOpen = true;
  return {
    // a closed channel throws
    post: (message) => isOpen && channel.postMessage(message),
    listen: (onMessage) => (channel.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(data)),
    close: () => {
      isOpen = false;
      channel.close();
    },
  };
}

function open(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}
