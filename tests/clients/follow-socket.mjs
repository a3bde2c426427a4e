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
      if (frame.id) url.searchParams.set("lastEventId", frame.id);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = () => setTimeout(connect, retryMs);
  };
  connect();
}
