//! Every connection to a venue: pinned TLS, HTTP, WebSocket, clock, rate governor
