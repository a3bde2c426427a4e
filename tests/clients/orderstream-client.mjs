// node orderstream-client.mjs http://127.0.0.1:8082 [sse | ws [LAST_ID [ORDER_ID ...]]]
import { follow } from "orderstream-client";
import WebSocket from "ws"; // Node 22 has one

const [url, protocol = "sse", after, ...orders] = process.argv.slice(2);
follow({
  url,
  protocol,
  WebSocket,
  ...(after && { after }),
  ...(orders.length > 0 && { orderIds: orders.map(Number) }),
  onNotification: (notification) => console.log(JSON.stringify(notification)),
  onReset: () => console.log('{"type":"reset"}'),
});
