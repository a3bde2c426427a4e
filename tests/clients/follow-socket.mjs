// Follows /ws with a WebSocket, the browser's or that of npm, and comes back with the last id it saw.
export function follow(WebSocket, address, tell) {
  const url = new URL(address);
  const connect = () => {
    let retryMs = 1000;
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "bye") retryMs = frame.retryMs;
      if (frame.type === "event") tell(frame.data);
      if (frame.type === "reset") tell(frame); // something is missing: read GET /notifications
      // up to the head of a resumed feed there is more to come
      const seen = frame.id ?? (frame.resumed ? null : frame.head);
      if (seen) url.searchParams.set("lastEventId", seen);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = () => setTimeout(connect, retryMs);
  };
  connect();
}
