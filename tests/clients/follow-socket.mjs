// Follows /ws with a WebSocket, the browser's or that of npm, and reconnects with the last id it received.
export function follow(WebSocket, address, onData) {
  const url = new URL(address);
  const connect = () => {
    let retryMs = 1000;
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "bye") retryMs = frame.retryMs;
      if (frame.type === "event") onData(frame.data);
      if (frame.type === "reset") onData(frame); // notifications may be missing: read GET /notifications
      if (frame.id) url.searchParams.set("lastEventId", frame.id);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = () => setTimeout(connect, retryMs);
  };
  connect();
}
