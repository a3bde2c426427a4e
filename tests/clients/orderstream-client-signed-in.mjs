// node orderstream-client-signed-in.mjs http://127.0.0.1:8082 TOKEN_URL [sse | ws]
import { follow } from "orderstream-client";
import WebSocket from "ws"; // Node 22 has one

const [url, tokenUrl, protocol = "sse"] = process.argv.slice(2);
follow({
  url,
  protocol,
  WebSocket,
  after: "earliest",
  // is called for each connection; in a page it renews the token when that is about to expire
  token: async () => (await fetch(tokenUrl)).text(),
  onNotification: (notification) => console.log(JSON.stringify(notification)),
  // disconnected by an operator, or denied (401, 403): it connects no more, unless resume() is called
  onEnd: (end) => console.log(JSON.stringify({ type: "end", ...end })),
});
