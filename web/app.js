// The page: places orders over HTTP and shows the live feed over SSE or WebSocket, resuming where it was.

const SHOWN = 100;
const RETRY_MS = 1000;

const endpoints = await (await fetch("/config.json")).json();
const element = (id) => document.getElementById(id);

async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  const details = (problem.errors ?? []).map((error) => error.detail);
  return [problem.detail ?? problem.title ?? `status ${response.status}`, ...details].join("; ");
}

function answer(text, refused = false) {
  element("answer").textContent = text;
  element("answer").dataset.state = refused ? "refused" : "accepted";
}

async function placeOrder(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const item = { productId: form.get("productId"), quantity: Number(form.get("quantity")) };
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch(`${endpoints.order}/orders`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey() },
      body: JSON.stringify({ orderItems: [item] }),
    });
    if (response.ok) {
      answer(`Order ${(await response.json()).id} is accepted.`);
    } else {
      answer(await problemOf(response), true);
    }
    await showProducts();
  } catch (error) {
    answer(`The order service can't be reached: ${error.message}`, true);
  } finally {
    button.disabled = false;
  }
}

// randomUUID is there in secure contexts only, and the page may be opened by the address of the machine
function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function showProducts() {
  const select = element("order").elements.productId;
  const chosen = select.value;
  const response = await fetch(`${endpoints.inventory}/inventory?limit=200`);
  if (!response.ok) {
    throw new Error(await problemOf(response));
  }
  const page = await response.json();
  select.replaceChildren(...page.items.map(option));
  select.value = chosen || select.options[0]?.value;
}

function option(product) {
  return new Option(`${product.productId} (${product.stock} in stock)`, product.productId);
}

let lastEventId = null;
let stop = () => {};

function show(notification) {
  const row = document.createElement("tr");
  row.dataset.kind = notification.kind;
  const time = new Date(notification.occurredAt).toLocaleTimeString();
  const message = notification.reason ? `${notification.message} (${notification.reason})` : notification.message;
  for (const text of [time, notification.orderId, message]) {
    row.insertCell().textContent = text;
  }
  const feed = element("feed");
  feed.prepend(row);
  while (feed.rows.length > SHOWN) {
    feed.deleteRow(-1);
  }
}

function state(text) {
  element("state").textContent = text;
}

function url(path) {
  const made = new URL(`${endpoints.notification}${path}`, location.href);
  if (lastEventId) {
    made.searchParams.set("lastEventId", lastEventId);
  }
  return made;
}

function overSse() {
  let source;
  let timer;
  const connect = () => {
    // it resumes by itself, with the header Last-Event-ID, unless a proxy answers in the place of the service
    source = new EventSource(url("/stream"));
    source.onopen = () => state("connected over Server-Sent Events");
    source.onerror = () => {
      state("reconnecting over Server-Sent Events …");
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(connect, RETRY_MS);
      }
    };
    source.onmessage = (event) => {
      lastEventId = event.lastEventId;
      show(JSON.parse(event.data));
    };
    source.addEventListener("reset", (event) => {
      lastEventId = event.lastEventId;
    });
  };
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

function overWebSocket() {
  let stopped = false;
  let socket;
  let retryMs = RETRY_MS;
  const received = {
    welcome: () => state("connected over WebSocket"),
    event: (frame) => show(frame.data),
    bye: (frame) => { retryMs = frame.retryMs; },
  };
  const connect = () => {
    const address = url("/ws");
    address.protocol = address.protocol.replace("http", "ws");
    socket = new WebSocket(address);
    socket.onmessage = (event) => {
      const frame = JSON.parse(event.data);
      lastEventId = frame.id ?? lastEventId;
      received[frame.type]?.(frame);
    };
    socket.onclose = () => {
      if (!stopped) {
        state("reconnecting over WebSocket …");
        setTimeout(() => { if (!stopped) connect(); }, retryMs);
        retryMs = RETRY_MS;
      }
    };
  };
  connect();
  return () => {
    stopped = true;
    socket.close();
  };
}

for (const radio of document.querySelectorAll("input[name=protocol]")) {
  radio.addEventListener("change", () => {
    stop();
    stop = radio.value === "ws" ? overWebSocket() : overSse();
  });
}
element("order").addEventListener("submit", placeOrder);
stop = overSse();
showProducts().catch((error) => answer(`The products can't be shown: ${error.message}`, true));
