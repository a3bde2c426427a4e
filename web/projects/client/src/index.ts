/** Follows the live feed of Orderstream over SSE or WebSocket, in a browser or in Node. */
export { FeedConnection } from './connection.js';
export type { Arrival, FeedRuntime } from './connection.js';
export { formatEventId, isAfter, parseEventId } from './event-id.js';
export type { EventId } from './event-id.js';
export { follow, listenForNetwork } from './follow.js';
export type { FollowOptions, Following } from './follow.js';
export { networkRuntime } from './network.js';
export type { NetworkOptions, Socket } from './network.js';
export { NO_COUNTS, isRecord, parseNotification } from './notification.js';
export { DeniedError, newTicket } from './ticket.js';
export type { Counts, FeedEnd, FeedState, Filter, Kind, Notification, Protocol, Received } from './notification.js';
export type { Start } from './state-machine.js';
